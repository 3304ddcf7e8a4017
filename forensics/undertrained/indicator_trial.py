"""Compute the indicators of a model, and try them on reference tokens held out from the mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forensics.matrices import ArrayMatrix, RowMatrix
from forensics.progress import Progress
from forensics.undertrained.indicator_choice import IndicatorChoice, choose_indicator
from forensics.undertrained.indicators import Indicators, embedding_indicators, unembedding_indicators
from forensics.undertrained.reference import Reference
from forensics.undertrained.rows import RowStatistics

__all__ = ["IndicatorInputs", "choose_by_trial", "fit_rows"]

#: Ordinary tokens against which held-out reference tokens are ranked.
_ORDINARY = 4096
#: Fewest reference tokens that can be halved.
_LEAST_TO_HALVE = 4


@dataclass(frozen=True, eq=False)
class IndicatorInputs:
    """What the indicators are computed from; also for a sample of rows, to try them out."""

    E_in: RowMatrix
    statistics: RowStatistics
    head: RowMatrix
    head_statistics: RowStatistics
    bias: npt.NDArray[np.float32] | None
    component: npt.NDArray[np.float32] | None
    tied: bool

    def compute(self, reference_ids: Sequence[int], progress: Progress | None = None) -> Indicators:
        """Return the indicators that apply, one value per row of `E_in`."""
        found: Indicators = {}
        if self.component is not None:
            found |= unembedding_indicators(
                self.head, self.head_statistics, reference_ids, self.component, self.bias, progress
            )
        # A tied model has no embedding apart from its head; its norm is used when nothing else is there.
        if not self.tied or not found:
            found |= embedding_indicators(self.E_in, self.statistics, reference_ids, progress)
        return {name: fit_rows(values, self.E_in.shape[0]) for name, values in found.items()}

    def sample(self, ids: npt.NDArray[np.int64]) -> IndicatorInputs:
        """Return the inputs for the rows of `ids` alone."""
        return replace(
            self,
            E_in=ArrayMatrix(self.E_in.gather(ids)),
            statistics=self.statistics.subset(ids),
            head=ArrayMatrix(self.head.gather(ids)),
            head_statistics=self.head_statistics.subset(ids),
            bias=None if self.bias is None else self.bias[ids],
        )


def choose_by_trial(
    inputs: IndicatorInputs,
    indicators: Indicators,
    reference: Reference,
    eligible: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> IndicatorChoice:
    """Try every indicator on reference tokens held out from the mean, and choose."""
    limit = min(len(eligible), inputs.head.shape[0])
    ids = np.asarray(reference.ids, dtype=np.int64)
    ids = ids[ids < limit]
    ordinary = np.setdiff1d(np.flatnonzero(eligible[:limit]), ids)
    if len(ids) < _LEAST_TO_HALVE or len(ordinary) == 0 or not reference.has_evidence:
        return choose_indicator({}, indicators)
    shuffled = rng.permutation(ids)[: 2 * _ORDINARY]
    half = len(shuffled) // 2
    drawn = np.sort(rng.choice(ordinary, size=min(_ORDINARY, len(ordinary)), replace=False))
    tried = inputs.sample(np.concatenate([shuffled, drawn])).compute(range(half))
    return choose_indicator(
        {name: values[half : len(shuffled)] for name, values in tried.items()},
        {name: values[len(shuffled) :] for name, values in tried.items()},
    )


def fit_rows(values: npt.NDArray[np.float32], V: int) -> npt.NDArray[np.float32]:
    """Cut or fill with NaN to `V` entries: a head may have other rows than the embedding."""
    if len(values) >= V:
        return values[:V]
    return np.concatenate([values, np.full(V - len(values), np.nan, dtype=np.float32)])
