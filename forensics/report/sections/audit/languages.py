"""What each language costs, the dearest first."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.blocks import Block, Cell, FigureBlock, Number, Paragraph, Section, Table
from forensics.report.declared import Column, field, number, records, table, text
from forensics.report.results import Record, Results
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.languages import language_name

__all__ = ["interval_of", "languages", "languages_in_brief"]

#: Languages in the terminal: so many at the dear end and at the cheap end.
_DEAR, _CHEAP = 6, 3


def languages(results: Results[AuditSummary]) -> Section:
    """Return the table of languages, sorted by premium, and the plot of premiums."""
    spoken = results.summary.languages
    variants = sorted({each.variant for each in spoken.of.values()})
    spelt = sorted({each.words_variant for each in spoken.of.values() if each.words_variant})
    said = (
        f"Premium: tokens over those of {language_name(spoken.reference)} for the same {spoken.lines:,} "
        f"lines ({', '.join(variants)}), with its 95 % interval over blocks of lines. "
        f"Fertility and single-token words: {', '.join(spelt) or 'no language has words with spaces'}."
    )
    blocks: list[Block] = [Paragraph(said), FigureBlock("premium", _CAPTION)]
    struck = [code for code, each in spoken.of.items() if each.struck]
    if struck:
        warning = (
            f"Struck from median and maximum, because over 10 % of their text is unknown or dropped: "
            f"{', '.join(map(language_name, struck))}. Their premiums are low for that reason alone."
        )
        blocks.append(Paragraph(warning, "warn"))
    blocks.append(_table(results))
    return Section("languages", "Languages", tuple(blocks))


_CAPTION = "Premium of each language with its 95 % interval; hollow: over 10 % is unknown or dropped."


def languages_in_brief(results: Results[AuditSummary]) -> Table:
    """Return the dearest and the cheapest languages."""
    rows = records(results.tables["languages"])
    shown = rows if len(rows) <= _DEAR + _CHEAP else [*rows[:_DEAR], *rows[-_CHEAP:]]
    return table(
        "languages",
        "The dearest languages and the cheapest.",
        shown,
        ("language", _name),
        field("premium", lambda value: number(value, 3)),
        ("95 % interval", lambda row: interval_of(row, "premium")),
        field("bytes_per_token", lambda value: number(value, 3), "bytes/token"),
        field("fertility", lambda value: number(value, 3)),
        ("unknown", _unknown),
        total=len(rows),
        where_rest="languages.parquet",
    )


def interval_of(row: Record, name: str) -> str | None:
    """Return the interval of a figure as `2.05–2.15`, None where there is none."""
    low, high = number(row.get(f"{name}_low")).value, number(row.get(f"{name}_high")).value
    return None if low is None or high is None else f"{low:.3g}–{high:.3g}"


def _table(results: Results[AuditSummary]) -> Table:
    frame = results.tables["languages"]
    rows: Sequence[Record] = records(frame)
    optional: list[Column[Record]] = [
        field(name, lambda value: number(value, 4), name.replace("_", " "))
        for name in ("shannon", "renyi_of_types", "renyi_of_size", "average_rank", "nsl")
        if name in frame.columns
    ]
    if "nsl" in frame.columns:
        optional.append(("NSL interval", lambda row: interval_of(row, "nsl")))
    return table(
        "languages",
        "What each language costs. Bytes per token compare tokenizers on one language, not scripts.",
        rows,
        ("language", _name),
        field("language", text, "code"),
        field("script", text),
        field("premium", lambda value: number(value, 4)),
        ("95 % interval", lambda row: interval_of(row, "premium")),
        field("bytes_per_token", lambda value: number(value, 3), "bytes/token"),
        field("characters_per_token", lambda value: number(value, 3), "characters/token"),
        field("fertility", lambda value: number(value, 3)),
        field("single_token", _percent, "single-token words"),
        ("unknown or dropped", _unknown),
        field("round_trip", _percent, "round trip"),
        field("split_characters", _percent, "split characters"),
        field("alphabet", _percent, "alphabet covered"),
        *optional,
        where_rest="languages.parquet",
    )


def _name(row: Record) -> str:
    """Return the language; that it is struck is seen in the terminal too."""
    return language_name(str(row["language"])) + (" (struck)" if row["struck"] else "")


def _percent(value: object) -> Cell:
    return Number(number(value).value, 3, percent=True)


def _unknown(row: Record) -> Cell:
    """Return the share of unknown tokens, or of dropped characters where there is no unknown token."""
    known = number(row.get("unknown")).value
    return _percent(row.get("dropped") if known is None else known)
