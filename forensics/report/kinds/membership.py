"""`membership`: what is shown of texts against controls, and of a data set's order."""

from __future__ import annotations

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind
from forensics.report.plots.membership import draw_plots
from forensics.report.results import Results
from forensics.report.sections.membership.order import order
from forensics.report.sections.membership.sets import scores, texts
from forensics.report.sections.shared.run import notes, provenance
from forensics.schema.finding import Finding, Level, Rule
from forensics.schema.membership import EVIDENCE_BELOW, TEXTS_TABLE, MembershipSummary

__all__ = ["KIND"]

_TEXTS = Rule(
    "membership-texts",
    Level.WARNING,
    "The model finds the texts likelier than controls that text alone does not tell from them.",
    "Look into how controls and texts were drawn before concluding anything about training data.",
)
_ORDER = Rule(
    "membership-order",
    Level.WARNING,
    "The model prefers the published order of a data set: evidence that this order was seen.",
    "Do not evaluate the model on it; or show that the lines are not exchangeable.",
)
_NO_CONCLUSION = Rule(
    "membership-no-conclusion",
    Level.NOTE,
    "What was given cannot answer the question: it differs, or hangs together, without the model.",
    "Give controls from the same source, or a data set whose lines are exchangeable.",
)


def _p(results: Results[MembershipSummary]) -> float | None:
    """Return the p-value of the run, where it gives one."""
    summary = results.summary
    if summary.order is not None:
        return summary.order.p
    return None if summary.sets is None else summary.sets.p_corrected


def _headline(results: Results[MembershipSummary]) -> str:
    """Return the verdict with the numbers that it rests on."""
    summary = results.summary
    if summary.order is not None:
        found = summary.order
        alike, mixed = found.blind.similarity, found.blind.shuffled
        blind = f"neighbours alike {alike:.3f}, shuffled {mixed:.3f}, p {found.blind.p:.2g}"
        if found.p is None or found.gain is None:
            return f"{found.lines:,} lines: {summary.verdict} ({blind})."
        return (
            f"{found.lines:,} lines in {len(found.shards):,} shards: {summary.verdict} (exact p "
            f"{found.p:.2g}, the given order gains {found.gain:+.2f} nats a shard over random ones; "
            f"without the model: {blind})."
        )
    sets = summary.sets
    if sets is None or sets.blind is None:
        return f"{summary.verdict[:1].upper()}{summary.verdict[1:]}."
    areas = ", ".join(f"{each.name} {each.auroc:.2f}" for each in sets.scores)
    low, high = sets.blind.interval
    return (
        f"{sets.texts:,} texts, {sets.controls:,} controls: {summary.verdict}. Area under the curve "
        f"without the model {sets.blind.auroc:.2f} ({low:.2f} to {high:.2f}), with it {areas}."
    )


def _tiles(results: Results[MembershipSummary]) -> tuple[Tile, ...]:
    """Return the blind judge's number and p."""
    summary = results.summary
    p = _p(results)
    tiles = []
    if summary.sets is not None and summary.sets.blind is not None:
        blind = summary.sets.blind
        tiles.append(
            Tile("without the model", f"{blind.auroc:.2f}", f"at least {blind.interval[0]:.2f}",
                 "warn" if blind.separates else "plain")
        )  # fmt: skip
    if summary.order is not None:
        tiles.append(Tile("p of neighbours, blind", f"{summary.order.blind.p:.2g}"))
    corrected = "exact" if summary.sets is None else "least of the scores, corrected for their number"
    tiles.append(Tile("p", "none", "no conclusion") if p is None else Tile("p", f"{p:.2g}", corrected))
    return tuple(tiles)


def _brief(results: Results[MembershipSummary]) -> Brief:
    """Return sizes, and p by score."""
    summary = results.summary
    facts = []
    if summary.order is not None:
        facts.append(
            Fact("lines", f"{summary.order.lines:,}, {summary.order.repeated:,} that repeat another")
        )
    if summary.sets is not None:
        facts.append(Fact("tokens", f"{summary.sets.tokens:,} scored"))
        given = [f"{each.name} {each.p:.2g}" for each in summary.sets.scores if each.p is not None]
        facts += [Fact("p", ", ".join(given))] if given else []
    if summary.order is not None and summary.order.shards:
        ranks = [each.at_least for each in summary.order.shards]
        shown = " ".join(map(str, ranks[:20])) + (" ..." if len(ranks) > 20 else "")
        facts.append(Fact("ranks", f"{shown} of {summary.order.shuffles:,} random orders as likely"))
    return Brief(tuple(facts))


def _findings(results: Results[MembershipSummary]) -> tuple[Finding, ...]:
    """Return the one finding of a run, or none."""
    summary, p = results.summary, _p(results)
    if p is not None and p >= EVIDENCE_BELOW:
        return ()
    if summary.order is not None:
        rule = _NO_CONCLUSION if p is None else _ORDER
        return (rule.found(summary.verdict, "order", evidence={"p": p, "lines": summary.order.lines}),)
    if summary.sets is None or summary.sets.blind is None:
        return ()
    rule = _NO_CONCLUSION if p is None else _TEXTS
    evidence = {"p": p, "blind_low": summary.sets.blind.interval[0], "texts": summary.sets.texts}
    return (rule.found(summary.verdict, "texts", evidence=evidence),)


KIND: Kind[MembershipSummary] = Kind(
    name="membership",
    summary=MembershipSummary,
    tables=(TEXTS_TABLE,),
    title=lambda results: f"{results.summary.model}: membership",
    subtitle=lambda results: "texts against controls" if results.summary.sets else "the order of a data set",
    headline=_headline,
    tiles=_tiles,
    sections=(scores, order, texts, notes, provenance),
    plots=draw_plots,
    brief=_brief,
    findings=_findings,
    rules=(_TEXTS, _ORDER, _NO_CONCLUSION),
    own_numbers=(
        GateNumber("p", _p),
        GateNumber(
            "blind_auroc",
            lambda results: sets.blind.auroc if (sets := results.summary.sets) and sets.blind else None,
        ),
    ),
    why_missing=lambda results: results.summary.verdict if _p(results) is None else None,
    also_as="membership.json",
)
