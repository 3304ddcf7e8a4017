"""`mixture`: what is shown of a data mixture."""

from __future__ import annotations

from forensics.report.declared import table
from forensics.report.kinds.kind import Brief, Kind
from forensics.report.plots.mixture import draw_plots
from forensics.report.results import Results
from forensics.report.sections.mixture.fit import fit, unexplained
from forensics.report.sections.mixture.shares import (
    DATA,
    ends_of,
    headline,
    largest_first,
    shares,
    text,
    tiles,
    unit,
)
from forensics.report.sections.shared.run import notes, provenance
from forensics.schema.finding import Finding, Level, Rule
from forensics.schema.mixture import MERGES_TABLE, MixtureSummary

__all__ = ["KIND"]

#: Categories listed in brief.
_LISTED = 15

_DOUBT = Rule(
    "mixture-doubt",
    Level.WARNING,
    "The estimate is not reliable.",
    "Give text of further categories, or the tokenizer's own way of cutting text.",
)


def _brief(results: Results[MixtureSummary]) -> Brief:
    """Return the largest shares; none where the estimate is in doubt."""
    summary, ends = results.summary, results.summary.interval
    if summary.doubts:
        return Brief()
    largest = largest_first(summary.proportions)
    rest = sum(share for _, share in largest[_LISTED:])
    shown = table(
        "largest",
        "The largest shares.",
        [*largest[:_LISTED], *([("others", rest)] if rest else [])],
        ("", lambda row: row[0]),
        ("", lambda row: f"{100 * row[1]:5.1f} %"),
        ("", lambda row: _interval(ends_of(ends, row[0]))) if ends else None,
        where_rest=DATA,
    )
    return Brief(tables=(shown,))


def _interval(ends: tuple[float, float] | None) -> str:
    return f"[{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]" if ends else ""


def _findings(results: Results[MixtureSummary]) -> tuple[Finding, ...]:
    """Return the doubts."""
    return tuple(_DOUBT.found(doubt, doubt) for doubt in results.summary.doubts)


def _subtitle(results: Results[MixtureSummary]) -> str:
    cut = results.summary.splitting
    return f"{results.summary.merges_total:,} {unit(results.summary)}, cut by {cut.origin}, fed in {cut.unit}"


KIND = Kind(
    name="mixture",
    summary=MixtureSummary,
    tables=(MERGES_TABLE,),
    title=lambda results: f"{results.summary.tokenizer.name}: data mixture",
    subtitle=_subtitle,
    headline=headline,
    tiles=tiles,
    sections=(shares, fit, unexplained, text, notes, provenance),
    plots=draw_plots,
    brief=_brief,
    findings=_findings,
    rules=(_DOUBT,),
    also_as="mixture.json",
)
