"""The whole inference on counted text: choose the merges, fit, check, and say what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.mixture.baselines import encoding_efficiency, token_classification
from forensics.mixture.clumping import clumping_of
from forensics.mixture.counts import count_merges, pair_events
from forensics.mixture.curve import CurveFit, fit_curve
from forensics.mixture.document_counts import DocumentCounts, trace
from forensics.mixture.judgement import MOST_DISAGREEMENT, MOST_MERGES, check_categories, doubts_about
from forensics.mixture.pair_evidence import (
    Denominator,
    Evidence,
    effective_counts,
    gather_evidence,
    usable_merges,
)
from forensics.mixture.pair_spelling import SpeltWords, spell_words
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.residual import shortfall, unexplained_merges
from forensics.mixture.result import Method, Mixture
from forensics.progress import Progress
from forensics.vocabulary.merge_list import MergeList

if TYPE_CHECKING:
    from forensics.mixture.linear_program import ProgramFit

__all__ = ["InferencePlan", "Method", "Mixture", "fit_merges", "infer_proportions"]

FloatArray = npt.NDArray[np.float64]

#: Merges of the first look, from which the number of usable merges is found.
FIRST_LOOK = 3_000
#: Fewest merges that are used, however thin the text.
FEWEST_MERGES = 200
#: Two methods further apart than this in total variation are worth a note; on GPT-4's list they are.
METHODS_DISAGREE = 0.1


@dataclass(frozen=True)
class InferencePlan:
    """How proportions are inferred."""

    #: How they are found.
    method: Method = Method.CURVE
    #: Find them by the other method too and warn where they disagree.
    compare: bool = False
    #: Merges used, counted from the start of the list; None: as many as the text can tell something about,
    #: 30,000 at most.
    most_merges: int | None = None
    #: Merges at the start of the list that are applied and not explained.
    skip: int = 0
    #: The unit inside the inference.
    denominator: Denominator = Denominator.BYTES
    #: `highs`, or a solver that PuLP knows.
    solver: str = "highs"
    #: Where the linear program is written, with the rows that were found.
    write_lp: Path | None = None
    #: Compute the source's baselines too.
    baselines: bool = False
    #: How many of the worst merges are explained with their rivals.
    explain: int = 20


def infer_proportions(
    categories: Sequence[PretokenCounts],
    merges: MergeList,
    plan: InferencePlan | None = None,
    progress: Progress | None = None,
    documents: DocumentCounts | None = None,
) -> Mixture:
    """Return the mixture of categories that best explains the order of the merges.

    :param categories: Counted text of every category, cut as the tokenizer cuts.
    :param merges: The merge list.
    :param plan: How it is found.
    :param progress: Where to report.
    :param documents: The text, or a sample of it, by document, of the same categories in the same order: how
        unlike documents are then sets the weights of the merges.
    :raises BadInputError: If categories are empty, equal or fewer than two, or no merge is left to explain.
    """
    plan, progress = plan or InferencePlan(), progress or Progress()
    check_categories(categories)
    if plan.skip >= len(merges):
        raise BadInputError(
            "the merge list",
            f"{len(merges):,} merges, of which {plan.skip:,} are skipped",
            "skip fewer; there is nothing left to explain",
        )
    fitted = _fit(categories, merges, plan, progress, documents)
    solution = _solve(fitted, plan, progress)
    evidence, steps, curve = fitted.evidence, fitted.steps, fitted.fit.curve
    share = evidence.share_of_bytes(solution.alpha)
    counts = evidence.W[steps] @ solution.alpha
    with progress.stage("compare early and late merges"):
        early = _evidence(
            categories, fitted.words, fitted.early(plan.skip), plan.denominator, evidence.clumping
        )
        disagreement = _disagreement(early, evidence, plan.skip)
    asked = plan.skip + np.flatnonzero(~merges.aside[plan.skip : fitted.bound])
    missing = np.setdiff1d(asked, steps)
    with progress.stage("explain"):
        worst = unexplained_merges(
            fitted.words, evidence.sizes, merges, solution.alpha, counts, curve, steps, plan.explain
        )
    unexplained_share = float((shortfall(counts, curve) * curve).sum() / max(curve.sum(), 1e-300))
    doubts, notes = (
        doubts_about(unexplained_share, disagreement, len(missing), len(asked)),
        list(fitted.notes),
    )
    _judge_methods(solution.other, share, doubts, notes)
    effective = effective_counts(evidence.W[steps], evidence.sizes, solution.alpha)
    return Mixture(
        proportions=_named(evidence, share),
        method=plan.method,
        merges_used=len(asked),
        skipped=plan.skip,
        missing_merges=len(missing),
        missing_steps=tuple(missing[: plan.explain].tolist()),
        steps=steps,
        counts=counts,
        curve=curve,
        unexplained_share=unexplained_share,
        slack=solution.slack,
        slack_gap=solution.gap,
        least_expected=float(np.median(effective[-max(1, len(effective) // 50) :])),
        disagreement=disagreement,
        misfit=fitted.fit.misfit,
        unexplained=tuple(worst),
        doubts=tuple(doubts),
        notes=tuple(notes),
        baselines=_baselines(categories, fitted) if plan.baselines else {},
        other_method=None if solution.other is None else _named(evidence, solution.other),
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The curve fitted to as many merges as the text supports."""

    words: Sequence[SpeltWords]
    #: The merges from the start of the list to the last one used.
    merges: MergeList
    evidence: Evidence
    fit: CurveFit
    #: The merges that the fit rests on.
    steps: npt.NDArray[np.int64]
    notes: tuple[str, ...]

    @property
    def bound(self) -> int:
        """How many merges are looked at."""
        return len(self.merges)

    def early(self, skip: int) -> MergeList:
        """The first third of the merges to be explained."""
        return self.merges.head(skip + (self.bound - skip) // 3)


def _fit(
    categories: Sequence[PretokenCounts],
    merges: MergeList,
    plan: InferencePlan,
    progress: Progress,
    documents: DocumentCounts | None,
) -> _Fitted:
    """Count the merges in every category, decide how many are used, and fit the curve."""
    skip, notes = plan.skip, list[str]()
    bound = min(len(merges), plan.most_merges or skip + MOST_MERGES)
    if plan.most_merges is not None and plan.most_merges > len(merges):
        notes.append(
            f"{plan.most_merges:,} merges were asked for and the tokenizer has {len(merges):,}: all were used"
        )
    with progress.stage("apply merges", len(categories), "categories") as stage:
        words = []
        for category in categories:
            words.append(spell_words(category.words, merges))
            stage.advance()
        clumping = None if documents is None else _clumping(documents, merges.head(bound))
        evidence = _evidence(categories, words, merges.head(bound), plan.denominator, clumping)
    with progress.stage("fit"):
        if plan.most_merges is None:
            look = min(bound, skip + FIRST_LOOK)
            first, _ = _curve(
                _evidence(categories, words, merges.head(look), plan.denominator, clumping), skip
            )
            learned = skip + np.flatnonzero(~merges.aside[skip:bound])
            usable = usable_merges(evidence.W[learned], evidence.sizes, first.alpha)
            if usable < len(learned):
                bound = min(bound, max(int(learned[usable]), skip + FEWEST_MERGES))
            if bound < len(evidence.W):
                notes.append(
                    f"{bound - skip:,} of {len(evidence.W) - skip:,} merges were used: later ones are "
                    "expected fewer than ten times in this text (more text would allow more; "
                    "asking for more overrides)"
                )
                evidence = _evidence(categories, words, merges.head(bound), plan.denominator, clumping)
        fit, steps = _curve(evidence, skip)
    return _Fitted(words, merges.head(bound), evidence, fit, steps, tuple(notes))


@dataclass(frozen=True, eq=False)
class _Solution:
    """The mixture inside the inference, by the method asked for."""

    #: Shares in the unit of the inference, shape (n,).
    alpha: FloatArray
    #: Slack of the linear program and the gap left by its solver, where it was solved.
    slack: float | None = None
    gap: float | None = None
    #: Shares of bytes by the other method, where it was asked for.
    other: FloatArray | None = None


def _solve(fitted: _Fitted, plan: InferencePlan, progress: Progress) -> _Solution:
    """Take the curve's mixture, or solve the linear program from it."""
    alpha = fitted.fit.alpha
    if plan.method is not Method.LP and not plan.compare:
        return _Solution(alpha)
    program = _program(
        fitted.evidence, fitted.words, fitted.merges, alpha, plan.skip, plan.solver, plan.write_lp, progress
    )
    both = {Method.CURVE: alpha, Method.LP: program.alpha}
    other = None
    if plan.compare:
        other = fitted.evidence.share_of_bytes(
            both[Method.LP if plan.method is Method.CURVE else Method.CURVE]
        )
    return _Solution(both[plan.method], program.objective, program.gap, other)


def _judge_methods(other: FloatArray | None, share: FloatArray, doubts: list[str], notes: list[str]) -> None:
    """Add how far apart the two methods are, where both were used and it is far."""
    apart = 0.0 if other is None else 0.5 * float(np.abs(other - share).sum())
    if apart > METHODS_DISAGREE:
        disagree = f"curve and linear program disagree about {apart:.0%} of the text"
        (doubts if apart > MOST_DISAGREEMENT else notes).append(disagree)


def _baselines(categories: Sequence[PretokenCounts], fitted: _Fitted) -> dict[str, dict[str, float]]:
    """Return the source's two baselines."""
    parts = [count_merges(spelt, fitted.merges) for spelt in fitted.words]
    sizes = [category.nbytes for category in categories]
    return {
        "tee": _named(fitted.evidence, encoding_efficiency(parts, sizes)),
        "tc": _named(fitted.evidence, token_classification(parts, sizes)),
    }


def fit_merges(
    categories: Sequence[PretokenCounts],
    words: Sequence[SpeltWords],
    merges: MergeList,
    skip: int = 0,
    documents: DocumentCounts | None = None,
) -> CurveFit:
    """Return the curve's fit in shares of bytes and nothing else: what a simulation repeats."""
    clumping = None if documents is None else _clumping(documents, merges)
    return _curve(_evidence(categories, words, merges, Denominator.BYTES, clumping), skip)[0]


def _clumping(documents: DocumentCounts, merges: MergeList) -> FloatArray:
    learned, _ = trace(documents.words, merges.left, merges.right, merges.result)
    return clumping_of(documents, learned)


def _evidence(
    categories: Sequence[PretokenCounts],
    words: Sequence[SpeltWords],
    merges: MergeList,
    denominator: Denominator,
    clumping: FloatArray | None = None,
) -> Evidence:
    evidence = gather_evidence(
        [category.name for category in categories],
        [count_merges(spelt, merges) for spelt in words],
        [max(1, spelt.pairs) for spelt in words],
        [category.nbytes for category in categories],
        denominator,
    )
    # Merges that training did not choose are applied and say nothing: a row of nought enters no fit.
    evidence.W[merges.aside] = 0
    return evidence if clumping is None else replace(evidence, clumping=clumping[: len(merges)])


def _curve(evidence: Evidence, skip: int) -> tuple[CurveFit, npt.NDArray[np.int64]]:
    """Return the curve's fit and the steps it is about: the merges that occur in some text."""
    steps = np.flatnonzero(evidence.W.sum(axis=1) > 0)
    steps = steps[steps >= skip]
    W, clumping = evidence.W[steps], evidence.clumping
    variance = None if clumping is None else clumping[steps] * W**2
    return fit_curve(W, evidence.leftovers, steps=steps, variance=variance), steps


def _disagreement(early: Evidence, whole: Evidence, skip: int) -> float:
    """Return the total variation between the estimates from the early merges and from those after them.

    :param early: The evidence of the list cut after the early merges.
    :param whole: The evidence of all merges used.
    :param skip: Merges that are not explained.
    """
    if len(early.W) - skip < 4 * len(early.names):
        return 0.0
    shares = [
        evidence.share_of_bytes(_curve(evidence, first)[0].alpha)
        for evidence, first in ((early, skip), (whole, len(early.W)))
    ]
    return 0.5 * float(np.abs(shares[0] - shares[1]).sum())


def _program(
    evidence: Evidence,
    words: Sequence[SpeltWords],
    merges: MergeList,
    start: FloatArray,
    skip: int,
    solver: str,
    write_lp: Path | None,
    progress: Progress,
) -> ProgramFit:
    """Return the optimum of the linear program."""
    from forensics.mixture.linear_program import HighsMaster, Master, solve_program
    from forensics.mixture.pair_table import build_pair_table
    from forensics.mixture.pulp_program import PulpMaster, pulp_solver

    with progress.stage("pair counts"):
        events = [pair_events(spelt, merges) for spelt in words]
        table = build_pair_table(events, evidence.sizes, len(merges))
    pulp_master = None
    if solver != "highs" or write_lp is not None:
        pulp_master = PulpMaster(pulp_solver(solver))
    master: Master = pulp_master if pulp_master is not None else HighsMaster()
    fit = solve_program(evidence.W, table, master, skip=skip, start=start, progress=progress)
    if write_lp is not None and pulp_master is not None:
        pulp_master.write(write_lp)
    return fit


def _named(evidence: Evidence, values: FloatArray) -> dict[str, float]:
    return dict(zip(evidence.names, values.tolist(), strict=True))
