"""`audit`: what is shown of a tokenizer's audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind, NumbersByKey
from forensics.report.results import Results
from forensics.report.sections.audit.findings import findings, findings_in_brief
from forensics.report.sections.audit.languages import languages, languages_in_brief
from forensics.report.sections.audit.numbers import numbers
from forensics.report.sections.audit.optional import optional
from forensics.report.sections.audit.residues import residues
from forensics.report.sections.audit.specials import specials
from forensics.report.sections.audit.template import template
from forensics.report.sections.audit.vocabulary import vocabulary
from forensics.report.sections.shared.counts import tokenizer_line
from forensics.report.sections.shared.run import notes, provenance
from forensics.schema.audit import FINDINGS_TABLE, LANGUAGES_TABLE, NUMBERS_TABLE, VOCABULARY_TABLE
from forensics.schema.audit_rules import RULES
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.finding import Level

if TYPE_CHECKING:
    from forensics.report.plots.style import Plot

__all__ = ["KIND"]


def _tiles(results: Results[AuditSummary]) -> tuple[Tile, ...]:
    """Return the median and the largest premium, and the findings."""
    spoken = results.summary.languages
    tiles = []
    if spoken.median is not None and spoken.highest is not None:
        tiles.append(Tile("median premium", f"{spoken.median:.2f}", f"against {spoken.reference}"))
        tiles.append(Tile("largest premium", f"{spoken.of[spoken.highest].premium:.2f}", spoken.highest))
    counts = Counter(finding.level for finding in results.summary.findings)
    tones = {Level.ERROR: "bad", Level.WARNING: "warn", Level.NOTE: "plain"}
    for level in Level:
        tone = tones[level] if counts[level] else "plain"
        tiles.append(Tile(f"{level}s", f"{counts[level]:,}", tone=tone))
    return tuple(tiles)


def _brief(results: Results[AuditSummary]) -> Brief:
    """Return the findings and the languages at both ends, at most a screen."""
    reasons = results.summary.not_applicable
    facts = tuple(Fact("not applicable", f"{part}: {reason}") for part, reason in reasons.items())
    return Brief(facts, (*findings_in_brief(results), languages_in_brief(results)))


def _plots(results: Results[AuditSummary]) -> Mapping[str, Plot]:
    from forensics.report.plots.audit import draw_plots

    return draw_plots(results)


def _highest(results: Results[AuditSummary]) -> float | None:
    spoken = results.summary.languages
    return None if spoken.highest is None else spoken.of[spoken.highest].premium


def _of_languages(column: str) -> NumbersByKey[AuditSummary]:
    """Return a column of the table of languages, as numbers by language."""

    def values(results: Results[AuditSummary]) -> dict[str, float | None]:
        table, of = results.tables[LANGUAGES_TABLE.name], results.summary.languages.of
        if column not in table.columns:
            return dict.fromkeys(of)
        known = table[column].notna()
        found = zip(table["language"], table[column], known, strict=True)
        # The premium of a language whose text is lost is no number to pass or fail by.
        return {
            name: float(number) if there and not (column in _PREMIUMS and of[name].struck) else None
            for name, number, there in found
        }

    def why_missing(results: Results[AuditSummary], language: str) -> str | None:
        one = results.summary.languages.of[language]
        if column in _PREMIUMS and one.struck:
            return "too much of its text is unknown or dropped for a premium to mean anything"
        return one.not_applicable.get(_METRICS.get(column, column), _NOT_ASKED.get(column))

    return NumbersByKey(column, values, why_missing)


_PREMIUMS = frozenset({"premium", "premium_low", "premium_high"})
#: Column -> the metric under which `not_applicable` has its reason.
_METRICS = dict.fromkeys(("fertility", "continued", "single_token"), "words")
#: Columns that are there on request.
_NOT_ASKED = {
    **dict.fromkeys(
        ("shannon", "renyi_of_types", "renyi_of_size", "average_rank"), "ask for it with --renyi"
    ),
    **dict.fromkeys(("nsl", "nsl_low", "nsl_high"), "ask for it with --reference"),
}

KIND: Kind[AuditSummary] = Kind(
    name="audit",
    summary=AuditSummary,
    tables=(LANGUAGES_TABLE, VOCABULARY_TABLE, NUMBERS_TABLE, FINDINGS_TABLE),
    title=lambda results: f"{results.summary.model.rstrip('/').rsplit('/', 1)[-1]}: tokenizer audit",
    subtitle=lambda results: tokenizer_line(results.summary.tokenizer),
    headline=lambda results: results.summary.headline,
    tiles=_tiles,
    sections=(
        findings, languages, vocabulary, specials, template, numbers, residues, optional, notes, provenance,
    ),
    plots=_plots,
    brief=_brief,
    findings=lambda results: results.summary.findings,
    rules=tuple(RULES.values()),
    own_numbers=(
        GateNumber("median_premium", lambda results: results.summary.languages.median),
        GateNumber("highest_premium", _highest),
    ),
    numbers_by_key=tuple(
        _of_languages(column.name) for column in LANGUAGES_TABLE.columns if column.type in ("double", "int64")
    ),
    why_missing=lambda _: "no language but the reference is without many unknown tokens",
    also_as="audit.json",
    also_without=frozenset({"seconds", "peak_rss_bytes"}),
    not_printed=frozenset({"specials", "numbers", "dates"}),
)  # fmt: skip
