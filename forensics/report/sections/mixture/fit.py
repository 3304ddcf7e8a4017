"""How well a mixture explains the merge list, and which merges it does not."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.blocks import Block, Cell, Code, Facts, FigureBlock, Listing, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.report.sections.mixture.shares import DATA, unit
from forensics.report.visible import plain, token_text
from forensics.schema.mixture import MixtureSummary, UnexplainedMerge

__all__ = ["fit", "unexplained"]

_FIGURE = (
    "Above, the count of each learned pair in the estimated mixture and the decreasing curve that it should "
    "follow; below, the mean share by which the merges of a stretch fall short of it."
)
#: What the table of the unexplained is about.
_SHORT = {
    "merges": "Merges that fall furthest short of the curve, and the pairs that should have won there.",
    "pieces": "Pieces that fall furthest short of the frequency that the vocabulary gives them.",
}
#: Kind of merge that is applied and not explained -> what that means.
_ASIDE = {
    "by_hand": "were put in by hand: ladders of whitespace or numbers, tokens declared as added, or letters.",
    "unformable": "can never be formed: text is always cut within what they make.",
}


def fit(results: Results[MixtureSummary]) -> Section:
    """Return how well the list is explained, along its length."""
    summary, violation = results.summary, results.summary.violation
    aside, unmade, what = summary.merges_aside, summary.tokens_without_merge, unit(summary)
    facts: list[tuple[str, Cell]] = [
        ("expected counts missing", Number(violation.total, percent=True)),
        (f"mean shortfall of the {what}", Number(violation.per_merge_mean, percent=True)),
        (f"{what} that occur in no text", Number(summary.missing_merges)),
        (f"expected count at the last of the {what}", Number(summary.least_expected_count, 3)),
        (f"early and late {what} differ about", Number(summary.early_late_disagreement, percent=True)),
    ]
    if violation.lp_slack is not None:
        facts.append(("slack of the linear program, per byte", Number(violation.lp_slack)))
    facts += [(f"merges left out: {kind}", Number(count)) for kind, count in summary.merges_dropped.items()]
    facts += [
        (f"{what} put in by hand, applied and not explained", Number(aside["by_hand"].count)),
        ("pieces that several ids have", Number(summary.duplicate_pieces)),
    ]
    if what == "merges":
        facts += [
            ("merges that no text can form, likewise", Number(aside["unformable"].count)),
            ("tokens no merge makes, declared as added", Number(unmade.declared)),
            ("tokens no merge makes, not declared", Number(unmade.undeclared)),
        ]
    return Section("violation", "Fit", (Facts(tuple(facts)), FigureBlock("violation", _FIGURE)))


def unexplained(results: Results[MixtureSummary]) -> Section | None:
    """Return the merges that no mixture of the categories explains."""
    summary, what = results.summary, unit(results.summary)
    blocks: list[Block] = []
    if summary.unexplained:
        shown = table(
            "unexplained",
            _SHORT[what],
            summary.unexplained,
            ("merge" if what == "merges" else "rank", lambda merge: Number(merge.step)),
            ("pair" if what == "merges" else "piece", lambda merge: Code(_pair(merge.pair))),
            ("count / expected", lambda merge: Number(merge.ratio, 2)),
            ("more frequent in the mixture (count / expected)", _rivals) if what == "merges" else None,
            where_rest=DATA,
        )
        blocks.append(shown)
    if summary.missing_examples:
        said = f"{summary.missing_merges:,} {what} occur in none of the texts; the first are:"
        blocks += [Paragraph(said), _listed(summary.missing_examples)]
    for kind, meaning in _ASIDE.items():
        aside = summary.merges_aside[kind]
        if aside.count:
            said = f"{aside.count:,} {what} {meaning} The first are:"
            blocks += [Paragraph(said), _listed([each.pair for each in aside.examples])]
    return Section("unexplained", "What is not explained", tuple(blocks)) if blocks else None


def _rivals(merge: UnexplainedMerge) -> str:
    return ", ".join(f"{_pair(rival.pair)} ({rival.ratio:.2g})" for rival in merge.should_have_won)


def _listed(pairs: Sequence[tuple[str, ...]]) -> Listing:
    return Listing((", ".join(_pair(pair) for pair in pairs),))


def _pair(pair: tuple[str, ...]) -> str:
    """Return a pair so that nothing in it is invisible."""
    return " + ".join(plain(token_text(None, part)) for part in pair)
