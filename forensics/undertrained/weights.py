"""Everything the two matrices tell by themselves: the weight-only half of a scan.

Reads `E_in` and `E_out` in blocks, a few passes each, and nothing else of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forensics.matrices import ArrayMatrix, RowMatrix
from forensics.progress import Progress
from forensics.undertrained.argmax import PastVocabulary, past_vocabulary
from forensics.undertrained.candidates import (
    DataDrivenThreshold,
    choose_candidates,
    data_driven_threshold,
    rank_rows,
)
from forensics.undertrained.duplicates import RowGroups, identical_groups, near_identical_groups
from forensics.undertrained.indicator_choice import IndicatorChoice, choose_indicator
from forensics.undertrained.indicators import Indicators, embedding_indicators, unembedding_indicators
from forensics.undertrained.principal_component import first_principal_component
from forensics.undertrained.reference import Reference, find_reference, given_reference
from forensics.undertrained.rows import RowStatistics, row_statistics

__all__ = ["Matrices", "WeightFindings", "analyse_weights"]

#: Ordinary tokens against which held-out reference tokens are ranked.
_ORDINARY = 4096
#: Fewest reference tokens that can be halved.
_LEAST_TO_HALVE = 4


@dataclass(frozen=True, eq=False)
class Matrices:
    """The matrices of a model, as far as a scan needs them."""

    #: `E_in`, shape (V, d).
    E_in: RowMatrix
    #: `E_out`, shape (V, d); the same object as `E_in` for a tied model, None for a model without head.
    E_out: RowMatrix | None
    #: Bias of the head, shape (V,), or None.
    bias: npt.NDArray[np.float32] | None = None

    @property
    def tied(self) -> bool:
        """Whether one matrix serves as both."""
        return self.E_out is self.E_in


@dataclass(frozen=True, eq=False)
class WeightFindings:
    """What the weights tell about every row; arrays have one entry per row of `E_in`."""

    #: Indicator name -> values, shape (V,) float32.
    indicators: Indicators
    #: Statistics of the rows of `E_in`.
    statistics: RowStatistics
    #: Groups of rows of `E_in` equal bit for bit.
    identical: RowGroups
    #: Groups of rows of `E_in` nearly equal.
    near_identical: RowGroups
    #: Whether each row speaks for itself: single rows, and one of each group of rows that are equal in
    #: every matrix of the model (the smallest eligible one). Shape (V,).
    is_representative: npt.NDArray[np.bool_]
    #: For each row the row that speaks for it (itself where single), shape (V,).
    representative: npt.NDArray[np.int64]
    #: The reference tokens.
    reference: Reference
    #: The indicator that ranks, and why.
    choice: IndicatorChoice
    #: Rank of each row by it, 1 = most suspicious, shape (V,).
    ranks: npt.NDArray[np.int64]
    #: Candidates, most suspicious first.
    candidates: npt.NDArray[np.int64]
    #: Largest value of the chosen indicator among the candidates, or None without any.
    cut: float | None
    #: Where the values themselves set a tail apart.
    threshold: DataDrivenThreshold
    #: Rows past the vocabulary; None for a model without a head.
    past_vocabulary: PastVocabulary | None

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Values of the chosen indicator, shape (V,)."""
        return self.indicators[self.choice.name]


def analyse_weights(
    matrices: Matrices,
    *,
    evidence: Mapping[str, Sequence[int]],
    eligible: npt.NDArray[np.bool_],
    vocabulary_size: int,
    rng: np.random.Generator,
    percent: float = 2.0,
    reference_ids: Sequence[int] | None = None,
    indicator: str | None = None,
    progress: Progress | None = None,
) -> WeightFindings:
    """Return indicators, references, ranks and candidates of a model.

    :param matrices: The model's matrices.
    :param evidence: Kind of evidence (`reference.KINDS`) -> ids that it suggests are unused; the kind
        `identical_rows` is added here.
    :param eligible: Tokens that may be candidates, shape `(V,)`.
    :param vocabulary_size: Number of ids the tokenizer knows.
    :param rng: The run's generator.
    :param percent: Share of the eligible tokens to be candidates, in percent.
    :param reference_ids: Reference tokens named by the user; found from the evidence if None.
    :param indicator: Indicator named by the user; chosen if None.
    :param progress: Where to report.
    :raises ValueError: If the named indicator does not apply to this model (the message lists those
        that do).
    """
    progress = progress or Progress()
    E_in, E_out = matrices.E_in, matrices.E_out
    statistics = row_statistics(E_in, progress, "read matrix" if matrices.tied else "read embedding")
    head, head_statistics = E_in, statistics
    if E_out is not None and not matrices.tied:
        head, head_statistics = E_out, row_statistics(E_out, progress, "read unembedding")
    with progress.stage("duplicate rows"):
        identical = identical_groups(E_in, statistics)
        near = near_identical_groups(E_in, statistics, rng)
        head_identical = identical if head is E_in else identical_groups(head, head_statistics)
    with progress.stage("reference tokens"):
        if reference_ids is not None:
            reference = given_reference(reference_ids, head, head_statistics)
        else:
            kinds = {**evidence, "identical_rows": np.flatnonzero(head_identical.group >= 0).tolist()}
            both = min(E_in.shape[0], head.shape[0])  # a head may have other rows than the embedding
            kinds = {kind: [i for i in ids if i < both] for kind, ids in kinds.items()}
            reference = find_reference(head, head_statistics, kinds, rng)
    component = None if E_out is None else first_principal_component(head, head_statistics, rng, progress)
    inputs = _IndicatorInputs(
        E_in, statistics, head, head_statistics, matrices.bias, component, matrices.tied
    )
    indicators = inputs.compute(reference.ids, progress)
    if indicator is None:
        choice = _choose(inputs, indicators, reference, eligible, rng)
    elif indicator in indicators:
        choice = IndicatorChoice(indicator, "It was named by the user.", {})
    else:
        raise ValueError(
            f"{indicator!r} does not apply to this model; those that do: {', '.join(indicators)}"
        )
    values = indicators[choice.name]
    ranks = rank_rows(values, statistics.problems)
    representative = _representatives(identical, head_identical, matrices, eligible)
    is_representative = representative == np.arange(E_in.shape[0])
    candidates = choose_candidates(ranks, eligible & is_representative, percent)
    cut_values = values[candidates][np.isfinite(values[candidates])]
    return WeightFindings(
        indicators=indicators,
        statistics=statistics,
        identical=identical,
        near_identical=near,
        is_representative=is_representative,
        representative=representative,
        reference=reference,
        choice=choice,
        ranks=ranks,
        candidates=candidates,
        cut=float(cut_values.max()) if len(cut_values) else None,
        threshold=data_driven_threshold(values[eligible]),
        past_vocabulary=None
        if E_out is None
        else past_vocabulary(head, head_statistics, vocabulary_size, matrices.bias),
    )


@dataclass(frozen=True, eq=False)
class _IndicatorInputs:
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
        return {name: _fit(values, self.E_in.shape[0]) for name, values in found.items()}

    def sample(self, ids: npt.NDArray[np.int64]) -> _IndicatorInputs:
        """Return the inputs for the rows of `ids` alone."""
        return replace(
            self,
            E_in=ArrayMatrix(self.E_in.gather(ids)),
            statistics=self.statistics.subset(ids),
            head=ArrayMatrix(self.head.gather(ids)),
            head_statistics=self.head_statistics.subset(ids),
            bias=None if self.bias is None else self.bias[ids],
        )


def _choose(
    inputs: _IndicatorInputs,
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


def _fit(values: npt.NDArray[np.float32], V: int) -> npt.NDArray[np.float32]:
    """Cut or fill with NaN to `V` entries: a head may have other rows than the embedding."""
    if len(values) >= V:
        return values[:V]
    return np.concatenate([values, np.full(V - len(values), np.nan, dtype=np.float32)])


def _representatives(
    identical: RowGroups, head_identical: RowGroups, matrices: Matrices, eligible: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return for each row the one that speaks for all rows equal to it in every matrix and in its bias.

    That is the smallest eligible row of the group, or the smallest where none is eligible.
    """
    V = len(identical.group)
    own = np.arange(V)
    n = min(V, len(head_identical.group))
    head_group = np.full(V, -1, dtype=np.int64)
    head_group[:n] = head_identical.group[:n]
    bias = np.zeros(V) if matrices.bias is None else _fit(np.nan_to_num(matrices.bias), V)
    grouped = (identical.group >= 0) & ((head_group >= 0) | (matrices.E_out is None))
    if not grouped.any():
        return own
    rows = np.flatnonzero(grouped)
    rows = rows[np.argsort(~eligible[rows], kind="stable")]  # the eligible first, each part by id
    keys = np.stack([identical.group, head_group, np.unique(bias, return_inverse=True)[1]], axis=1)[rows]
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    own[rows] = rows[first[inverse.reshape(-1)]]
    return own
