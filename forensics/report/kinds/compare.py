"""`compare`: what is shown of two tokenizers, checkpoints or scans, or of more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind, NumbersByKey
from forensics.report.results import Results
from forensics.report.sections.compare.lengths import lengths
from forensics.report.sections.compare.overview import findings, overview, relation_words
from forensics.report.sections.compare.settings import added_tokens, settings, template
from forensics.report.sections.compare.tokens import only_here, scans
from forensics.report.sections.compare.weights import weights
from forensics.report.sections.shared.run import notes, provenance
from forensics.schema.compare import (
    FINDINGS_TABLE,
    MERGES_TABLE,
    ONLY_A_TABLE,
    ONLY_B_TABLE,
    SHARED_TABLE,
    CompareSummary,
    LengthEntry,
    PairSummary,
)
from forensics.schema.compare_rules import RULES
from forensics.schema.finding import Finding, Level

if TYPE_CHECKING:
    from forensics.report.plots.style import Plot

__all__ = ["KIND"]


def _findings(results: Results[CompareSummary]) -> tuple[Finding, ...]:
    """Return what the run found, in its order: the worst first."""
    return tuple(
        Finding(row["rule"], Level(row["level"]), row["message"], row["subject"],
                evidence=json.loads(row["evidence"]))
        for row in results.tables["findings"].to_dict("records")
    )  # fmt: skip


def _headline(results: Results[CompareSummary]) -> str:
    """Return the lineage of two in one sentence; of more, how each is related to the first."""
    summary = results.summary
    sentences = [_sentence(summary, pair) for pair in summary.pairs]
    return " ".join(sentences) if len(sentences) <= 2 else relation_words(summary)


def _sentence(summary: CompareSummary, pair: PairSummary) -> str:
    names = {each.letter: each.name for each in summary.inputs}
    a, b = names["A"], names[pair.other]
    if pair.scans is not None:
        found = pair.scans
        return (
            f"{a} has {found.verified_a:,} verified tokens and {b} {found.verified_b:,}; {found.both:,} are "
            "the same bytes."
        )
    said = pair.lineage.sentence if pair.lineage is not None else f"{a} and {b}"
    tested = [test for test in pair.independence if not test.verdict.startswith("not testable")]
    if tested:
        dependent = next((test for test in tested if test.verdict.startswith("not independent")), None)
        verdict = "no evidence against independent starts" if dependent is None else dependent.verdict
        said += f"; their weights: {verdict}"
    elif pair.independence:
        said += f"; their weights: {pair.independence[0].verdict}"
    return said + "."


def _tiles(results: Results[CompareSummary]) -> tuple[Tile, ...]:
    """Return the counts of the first pair."""
    pair = results.summary.pairs[0]
    if pair.scans is not None:
        return (
            Tile("verified in both", f"{pair.scans.both:,}"),
            Tile("in A alone", f"{sum(pair.scans.only_a.values()):,}"),
            Tile(f"in {pair.other} alone", f"{sum(pair.scans.only_b.values()):,}"),
        )
    tiles = []
    if pair.pieces is not None:
        tiles += [
            Tile("pieces shared", f"{pair.pieces.shared:,}", f"A against {pair.other}"),
            Tile("only in A", f"{pair.pieces.only_a:,}"),
            Tile(f"only in {pair.other}", f"{pair.pieces.only_b:,}"),
        ]
    if pair.order is not None and pair.order.order_share is not None:
        tiles.append(Tile("in one order", f"{pair.order.order_share:.1%}", f"of shared {pair.order.what}"))
    return tuple(tiles)


def _brief(results: Results[CompareSummary]) -> Brief:
    """Return how many findings there are, and the first of them."""
    found = _findings(results)
    facts = [Fact("findings", _by_level(found))]
    facts += [Fact(each.level.value, _shortened(each.message)) for each in found[:8]]
    if len(found) > 8:
        facts.append(Fact("", f"{len(found) - 8:,} more in the report"))
    if len(results.summary.pairs) == 1 and results.summary.pairs[0].lengths:
        facts.append(Fact("lengths", _lengths(results.summary.pairs[0].lengths)))
    return Brief(tuple(facts))


def _lengths(lengths: Sequence[LengthEntry]) -> str:
    told = [each for each in lengths if not each.struck]
    struck = len(lengths) - len(told)
    left_out = f"; {struck} left out for unknown tokens" if struck else ""
    moved = [each for each in told if each.ratio not in (None, 1.0)]
    if not moved:
        return f"the same in all {len(told)} languages{left_out}"
    said = " to ".join(f"{each.ratio:.3f} ({each.language})" for each in (moved[-1], moved[0]))
    return f"tokens of B over those of A: {said}; {len(moved)} of {len(told)} languages differ{left_out}"


def _by_level(found: Iterable[Finding]) -> str:
    levels = [each.level for each in found]
    counts = [f"{levels.count(level):,} {level.value}s" for level in Level if level in levels]
    return ", ".join(counts) or "none"


def _shortened(message: str, most: int = 200) -> str:
    return message if len(message) <= most else message[: most - 1] + "…"


def _plots(results: Results[CompareSummary]) -> Mapping[str, Plot]:
    from forensics.report.plots.compare import draw_plots

    return draw_plots(results)


def _most(value: Callable[[PairSummary], float | None]) -> Callable[[Results[CompareSummary]], float | None]:
    """Return the largest value over all pairs; None where no pair has one."""

    def largest(results: Results[CompareSummary]) -> float | None:
        known = [found for pair in results.summary.pairs if (found := value(pair)) is not None]
        return max(known, default=None)

    return largest


def _length_ratios(results: Results[CompareSummary]) -> dict[str, float | None]:
    """Return language -> the largest ratio of lengths over all pairs."""
    found: dict[str, float | None] = {}
    for pair in results.summary.pairs:
        for each in pair.lengths:
            known = [ratio for ratio in (found.get(each.language), each.ratio) if ratio is not None]
            found[each.language] = max(known, default=None)
    return found


def _least_order(results: Results[CompareSummary]) -> float | None:
    orders = [pair.order.order_share for pair in results.summary.pairs if pair.order is not None]
    return min((share for share in orders if share is not None), default=None)


def _length_ratio(pair: PairSummary) -> float | None:
    ratios = (each.ratio for each in pair.lengths if not each.struck)
    return max((ratio for ratio in ratios if ratio is not None), default=None)


def _dependent(pair: PairSummary) -> float | None:
    tested = [test for test in pair.independence if test.log10_p is not None]
    return sum(test.verdict.startswith("not independent") for test in tested) if tested else None


KIND: Kind[CompareSummary] = Kind(
    name="compare",
    summary=CompareSummary,
    tables=(SHARED_TABLE, ONLY_A_TABLE, ONLY_B_TABLE, MERGES_TABLE, FINDINGS_TABLE),
    title=lambda results: " against ".join(each.name for each in results.summary.inputs[:2])
    + (f" and {len(results.summary.inputs) - 2} more" if len(results.summary.inputs) > 2 else ""),
    subtitle=lambda results: ", ".join(
        f"{each.letter}: {each.name} ({each.what})" for each in results.summary.inputs
    ),
    headline=_headline,
    tiles=_tiles,
    sections=(
        findings, overview, weights, scans, lengths, settings, added_tokens, template, only_here, notes,
        provenance,
    ),
    plots=_plots,
    brief=_brief,
    findings=_findings,
    rules=tuple(RULES.values()),
    own_numbers=(
        GateNumber("only_a", _most(lambda pair: None if pair.pieces is None else pair.pieces.only_a)),
        GateNumber("only_b", _most(lambda pair: None if pair.pieces is None else pair.pieces.only_b)),
        GateNumber("order_share", _least_order),
        GateNumber("length_ratio", _most(_length_ratio)),
        GateNumber("not_independent", _most(_dependent)),
        GateNumber("verified_only_a", _most(
            lambda pair: None if pair.scans is None else sum(pair.scans.only_a.values())
        )),
        GateNumber("verified_only_b", _most(
            lambda pair: None if pair.scans is None else sum(pair.scans.only_b.values())
        )),
    ),
    numbers_by_key=(NumbersByKey("length_ratio", _length_ratios),),
    why_missing=lambda results: (
        "of scans only tokens are compared"
        if results.summary.pairs[0].scans is not None
        else "it takes scans, weights or merges that are not there"
    ),
    also_as="compare.json",
)  # fmt: skip
