"""`sticky`: what is shown of a search for sticky tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from forensics.report.blocks import Cell, Table
from forensics.report.declared import ID, field, number, records, table
from forensics.report.kinds.kind import Brief, GateNumber, Kind
from forensics.report.plots.sticky import draw_plots
from forensics.report.results import Results
from forensics.report.sections.shared.run import notes, provenance
from forensics.report.sections.sticky.contraction import PIECE, contraction, measured
from forensics.report.sections.sticky.damage import attention, retrieval
from forensics.report.sections.sticky.headline import headline, tiles
from forensics.report.sections.sticky.occurrence import occurrence
from forensics.report.sections.sticky.published import published
from forensics.schema.finding import Finding, Level, Rule
from forensics.schema.sticky import STICKY_TABLE, StickySummary

__all__ = ["KIND"]

#: Tokens listed in brief, and their numbers.
_WORST = 10
_NUMBERS = ("effect", "validation", "q_value", "slope", "sticky_score", "per_million")

_STICKY = Rule(
    "sticky-token",
    Level.WARNING,
    "Copies of the token pull the similarities of texts together.",
    "Strip it from text before embedding, or train its row again.",
)


def _worst(results: Results[StickySummary]) -> Table:
    """Return the tokens of the first ranks."""
    rows = results.tokens[results.known("rank")]
    return table(
        "worst",
        "The tokens of the first ranks.",
        records(rows, ["rank"], _WORST),
        ID,
        PIECE,
        *(field(name, partial(number, digits=3)) for name in _NUMBERS if results.has(name)),
        field("sticky", _yes_or_no) if results.has("sticky") else None,
        total=len(rows),
    )


def _yes_or_no(value: Any) -> Cell:
    return "yes" if value is True else "no" if value is False else None


def _findings(results: Results[StickySummary]) -> tuple[Finding, ...]:
    """Return the sticky tokens, the worst first."""
    rows = records(results.tokens[results.where("sticky", True)], ["rank"], len(results.tokens))
    measure = "effect" if results.has("effect") else "validation"
    return tuple(
        _STICKY.found(
            f"token {row['token_id']} is sticky: {measure} {float(row[measure]):.3g}",
            row["piece"],
            token_id=int(row["token_id"]),
            piece=row["piece"],
            evidence={"rank": int(row["rank"]), measure: float(row[measure])},
        )
        for row in rows
    )


def _subtitle(results: Results[StickySummary]) -> str:
    summary = results.summary
    entries = f"{summary.tokenizer.type} tokenizer of {summary.tokenizer.vocab_size:,} entries"
    return f"method {summary.method}, {summary.pooling.mode} pooling, {entries}"


KIND = Kind(
    name="sticky",
    summary=StickySummary,
    tables=(STICKY_TABLE,),
    title=lambda results: f"{results.summary.model}: sticky tokens",
    subtitle=_subtitle,
    headline=headline,
    tiles=tiles,
    sections=(contraction, measured, retrieval, attention, published, occurrence, notes, provenance),
    plots=draw_plots,
    brief=lambda results: Brief(tables=(_worst(results),)),
    findings=_findings,
    rules=(_STICKY,),
    own_numbers=(
        GateNumber("sticky", lambda results: results.summary.sticky),
        GateNumber("shortlisted", lambda results: results.summary.shortlisted),
    ),
    not_printed=frozenset({"scatter"}),
)
