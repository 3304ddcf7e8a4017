"""How long text is in both, language by language."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.blocks import Block, FigureBlock, Number, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.compare import CompareSummary, LengthEntry

__all__ = ["lengths"]


def lengths(results: Results[CompareSummary]) -> Section | None:
    """Return a table per pair, the language that grows most first."""
    names = {each.letter: each.name for each in results.summary.inputs}
    tables: list[Block] = [
        table(
            f"lengths-{pair.other.lower()}",
            f"Tokens of {names[pair.other]} over those of {names['A']} for the same lines, "
            "with the 95 % interval over blocks of lines; and the premium against English in each. "
            f"Variant: {results.summary.lengths_variant}.{_struck(pair.lengths)}",
            pair.lengths,
            ("language", lambda each: each.language + (" (struck)" if each.struck else "")),
            ("ratio", lambda each: Number(each.ratio)),
            ("95 % interval", _interval),
            ("tokens in A", lambda each: Number(each.tokens_a)),
            (f"tokens in {pair.other}", lambda each: Number(each.tokens_b)),
            ("lines longer", lambda each: Number(each.lines_longer)),
            ("lines shorter", lambda each: Number(each.lines_shorter)),
            ("premium in A", lambda each: Number(each.premium_a, 3)),
            (f"premium in {pair.other}", lambda each: Number(each.premium_b, 3)),
            where_rest="summary.json",
        )
        for pair in results.summary.pairs
        if pair.lengths
    ]
    if not tables:
        return None
    if any(each.has_premiums for each in results.summary.pairs[0].lengths):
        caption = f"Premium of every language in A and in {results.summary.pairs[0].other}."
        tables.insert(0, FigureBlock("premiums", caption))
    return Section("lengths", "Length of text", tuple(tables))


def _struck(lengths: Sequence[LengthEntry]) -> str:
    """Return what is to be said of languages whose lengths mean nothing."""
    if not any(each.struck for each in lengths):
        return ""
    return (
        " Struck: over 10 % of the language is unknown or dropped in one of the two, "
        "and its lines are short for that reason alone."
    )


def _interval(each: LengthEntry) -> str | None:
    return None if each.interval is None else f"[{each.interval[0]:.3f}, {each.interval[1]:.3f}]"
