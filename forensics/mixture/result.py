"""What an inference finds: the shares of the categories, with the evidence for and against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from forensics.mixture.residual import UnexplainedMerge

__all__ = ["Method", "Mixture", "Reading"]

FloatArray = npt.NDArray[np.float64]


class Method(StrEnum):
    """How proportions are found from counts."""

    #: One decreasing curve through the counts of the learned merges.
    CURVE = "curve"
    #: The source's linear program over all pairs at all steps.
    LP = "lp"


class Reading(StrEnum):
    """What of a vocabulary without merges is read."""

    #: The probabilities of the pieces of a Unigram tokenizer.
    SCORES = "scores"
    #: The order of the pieces of a WordPiece vocabulary, the most frequent first.
    RANKS = "ranks"


@dataclass(frozen=True, eq=False)
class Mixture:
    """The estimate with its evidence. Shares are of bytes of text and sum to 1.

    Where the tokenizer has no merges, "merge" stands for a piece, and its step for the piece's rank.
    """

    #: Category -> share.
    proportions: Mapping[str, float]
    #: Which way they were found.
    method: Method | Reading
    #: Number of merges of the list that were used, those skipped or set aside left out.
    merges_used: int
    #: Merges at the start of the list that were applied but not explained.
    skipped: int
    #: Merges among those used that occur in none of the texts.
    missing_merges: int
    #: The first of the missing, by number.
    missing_steps: tuple[int, ...]
    #: Steps of the merges that enter the fit, shape (S,).
    steps: npt.NDArray[np.int64]
    #: Mixture count of the learned pair at each, per byte of text, shape (S,).
    counts: FloatArray
    #: The curve at each, shape (S,).
    curve: FloatArray
    #: Share of the expected counts that is missing, 0 to 1: sum of shortfalls, weighted by the curve.
    unexplained_share: float
    #: Total slack of the linear program per byte of text, None for the curve.
    slack: float | None
    #: How far that slack can be from the optimum, as a share of it; None for the curve.
    slack_gap: float | None
    #: The expected count of the learned pair at the last merge used.
    least_expected: float
    #: Total variation between the estimates from the first third of the merges and from the rest.
    disagreement: float
    #: Mean deviation of a merge from the curve, in the units of the fit.
    misfit: float
    #: The merges that fall shortest, with those that should have won.
    unexplained: tuple[UnexplainedMerge, ...]
    #: Why the estimate should not be believed; empty if nothing speaks against it.
    doubts: tuple[str, ...]
    #: What a reader should know.
    notes: tuple[str, ...] = ()
    #: Name -> shares by category, of the source's baselines.
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: Shares by the other method, where both were asked for.
    other_method: Mapping[str, float] | None = None

    @property
    def mean_shortfall(self) -> float:
        """Share of the expected count that a merge falls short of, 0 to 1, mean over merges."""
        return float(np.mean(np.clip(1 - self.counts / self.curve, 0, 1)))

    @property
    def groups(self) -> dict[str, float]:
        """Shares by group, where category names have one (`code/python`)."""
        sums: dict[str, float] = {}
        for name, share in self.proportions.items():
            group, slash, _ = name.partition("/")
            if slash:
                sums[group] = sums.get(group, 0.0) + share
        return sums
