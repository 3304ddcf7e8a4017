"""What the model does on ordinary text with and without the new rows."""

from __future__ import annotations

from forensics.report.blocks import Badge, Block, FigureBlock, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.repair import GuardSummary, RepairSummary

__all__ = ["guard"]

_WHAT_IT_IS = (
    "The same text was read twice, by the untouched model and with the new rows in it. Perplexity is the "
    "harm there is; probability on the rows is what they take from other tokens wherever the text is "
    "another; a position at which one of them is the likeliest token is one at which the model says it. "
    "Every limit must be kept, or nothing is written."
)


def guard(results: Results[RepairSummary]) -> Section | None:
    """Return the guard's numbers and limits."""
    found = results.summary.guard
    if found is None:
        return None
    blocks: list[Block] = [
        Paragraph(_WHAT_IT_IS),
        table(
            "guard",
            f"Three numbers on {found.tokens:,} tokens of ordinary text, and their limits.",
            _lines(found),
            ("measure", lambda line: line[0]),
            ("untouched", lambda line: Number(line[1], 4)),
            ("repaired", lambda line: Number(line[2], 4)),
            ("limit", lambda line: line[3]),
            ("", lambda line: Badge("kept", "good") if line[4] else Badge("exceeded", "bad")),
        ),
        table(
            "guard-kinds",
            "Perplexity by kind of text.",
            found.kinds,
            ("kind", lambda each: each.kind),
            ("tokens", lambda each: Number(each.tokens)),
            ("untouched", lambda each: Number(each.perplexity_before, 5)),
            ("repaired", lambda each: Number(each.perplexity_after, 5)),
            ("rise", lambda each: f"{each.perplexity_after / each.perplexity_before - 1:+.3%}"),
        ),
    ]
    if len(results.tables["rows"]):
        caption = "The largest probability of every row at any position of that text, before and after."
        blocks.append(FigureBlock("probabilities", caption))
    return Section("guard", "The guard", tuple(blocks))


Line = tuple[str, float, float, str, bool]


def _lines(found: GuardSummary) -> tuple[Line, ...]:
    """Return name, both numbers, the limit in words, and whether it is kept."""
    return (
        (
            "perplexity",
            found.perplexity_before,
            found.perplexity_after,
            f"+{100 * found.limit_rise:g} %",
            found.rise <= found.limit_rise,
        ),
        (
            "probability on the rows",
            found.mass_before,
            found.mass_after,
            f"{found.limit_mass:g}",
            found.mass_after <= found.limit_mass,
        ),
        (
            "positions where one is likeliest",
            found.argmax_before,
            found.argmax_after,
            f"{found.limit_argmax}",
            found.argmax_after <= found.limit_argmax,
        ),
    )
