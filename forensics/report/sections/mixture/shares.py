"""The shares of a mixture: in a sentence, in tiles, and one by one."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.report.blocks import Block, Cell, Code, FigureBlock, Number, Paragraph, Section, Tile
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.mixture import MixtureSummary

__all__ = ["DATA", "ends_of", "headline", "largest_first", "shares", "text", "tiles", "unit"]

#: Where the rest of a table is.
DATA = "mixture.json"
_CAVEAT = (
    "Shares are of the categories given here: text of another kind is credited to whichever of them it "
    "resembles, and leaving a category out hardly moves the violation. A low violation does not show that "
    "the list of categories is complete."
)
#: How many of the intervals hold, by what they are of: benchmarks/mixture_coverage.py, mixture_pieces.py.
_HELD = {"merges": "94 to 98 %", "pieces": "90 to 98 %"}


def largest_first(proportions: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return names and shares, the largest share first."""
    return sorted(proportions.items(), key=lambda item: -item[1])


def unit(summary: MixtureSummary) -> str:
    """Return what of the tokenizer was read: merges, or pieces where it has none."""
    return "pieces" if summary.method in ("scores", "ranks") else "merges"


def ends_of(ends: Mapping[str, tuple[float, float]] | None, name: str) -> tuple[float, float] | None:
    """Return the ends of an interval; None where there is none, or it is all shares: not judged."""
    found = (ends or {}).get(name)
    return None if found is None or found == (0, 1) else found


def headline(results: Results[MixtureSummary]) -> str:
    """Return the finding in a sentence; where the estimate is in doubt, that and no shares."""
    summary = results.summary
    name = summary.tokenizer.name
    if summary.doubts:
        return f"No reliable estimate for {name}: {'; '.join(summary.doubts)}."
    largest = largest_first(summary.groups or summary.proportions)[:3]
    first = ", ".join(f"{share:.0%} {group}" for group, share in largest)
    best, share = largest_first(summary.proportions)[0]
    most = f"; the largest category is {best} with {share:.0%}" if summary.groups else ""
    return (
        f"The {unit(summary)} of {name} fit training text of {first}{most} "
        f"({summary.merges_used:,} {unit(summary)}, {summary.violation.total:.0%} of counts unexplained)."
    )


def tiles(results: Results[MixtureSummary]) -> tuple[Tile, ...]:
    """Return the groups' shares and how much of the list is explained."""
    summary, short = results.summary, results.summary.violation.total
    tone = "bad" if short > 0.5 else "plain"
    return (
        *(Tile(group, f"{share:.0%}") for group, share in summary.groups.items()),
        Tile(f"{unit(summary)} explained", f"{summary.merges_used:,}", f"of {summary.merges_total:,}"),
        Tile("unexplained", f"{short:.0%}", "of the expected counts", tone),
    )


def shares(results: Results[MixtureSummary]) -> Section:
    """Return the table and the picture of the shares."""
    summary = results.summary
    blocks: list[Block] = [Paragraph(doubt, "warn") for doubt in summary.doubts]
    caption = "Shares of the training text, in bytes."
    if summary.interval:
        caption += (
            f" The lines are nominal 95 % intervals from {summary.bootstrap} simulated tokenizers, each "
            "trained on some of the documents of every category and inferred from the others. They know how "
            "unlike the given documents are, and nothing of text that is not given. In trials with known "
            f"mixtures of five categories {_HELD[unit(summary)]} of them held the truth (results/mixtures). "
            "Where none stands, the category has too few documents to be judged."
        )
    blocks += [Paragraph(_CAVEAT), FigureBlock("shares", caption)]
    if summary.groups:
        ends = summary.group_interval
        grouped = table(
            "groups",
            "Shares by group.",
            largest_first(summary.groups),
            ("group", lambda row: Code(row[0])),
            ("share", lambda row: _percent(row[1])),
            ("low", lambda row: _end(ends, row[0], 0)) if ends else None,
            ("high", lambda row: _end(ends, row[0], 1)) if ends else None,
            where_rest=DATA,
        )
        blocks.append(grouped)
    blocks.append(_by_category(summary))
    return Section("shares", "Shares", tuple(blocks))


def _by_category(summary: MixtureSummary) -> Block:
    """Return the table of all shares."""
    ends, other = summary.interval, summary.other_method
    return table(
        "shares",
        "Shares by category.",
        largest_first(summary.proportions),
        ("category", lambda row: Code(row[0])),
        ("share", lambda row: _percent(row[1])),
        ("low", lambda row: _end(ends, row[0], 0)) if ends else None,
        ("high", lambda row: _end(ends, row[0], 1)) if ends else None,
        ("other method", lambda row: _percent(other[row[0]])) if other else None,
        *(
            (name, lambda row, guess=guess: _percent(guess[row[0]]))
            for name, guess in (summary.baselines or {}).items()
        ),
        where_rest=DATA,
    )


def _end(ends: Mapping[str, tuple[float, float]] | None, name: str, which: int) -> Cell:
    found = ends_of(ends, name)
    return "" if found is None else _percent(found[which])


def _percent(share: float) -> Number:
    return Number(share, percent=True)


def text(results: Results[MixtureSummary]) -> Section:
    """Return how much text there was of every category."""
    shown = table(
        "text",
        "The counted text.",
        results.summary.text.items(),
        ("category", lambda row: Code(row[0])),
        ("bytes", lambda row: Number(row[1].bytes)),
        ("pre-tokens", lambda row: Number(row[1].pretokens)),
        ("distinct", lambda row: Number(row[1].distinct_pretokens)),
        ("rare ones dropped", lambda row: Number(row[1].dropped_rare)),
        where_rest=DATA,
    )
    return Section("text", "Text", (shown,))
