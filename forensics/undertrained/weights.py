"""Everything the two matrices tell by themselves: the weight-only half of a scan.

Reads `E_in` and `E_out` in blocks, a few passes each, and nothing else of the model. What fits a stated
budget is decoded once and kept for all passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forensics.matrices import KEPT_BYTES, RowMatrix, keep_within
from forensics.progress import Progress
from forensics.undertrained.argmax import PastVocabulary, past_vocabulary
from forensics.undertrained.candidates import (
    DataDrivenThreshold,
    choose_candidates,
    data_driven_threshold,
    rank_rows,
)
from forensics.undertrained.duplicates import RowGroups, identical_groups, near_identical_groups
from forensics.undertrained.indicator_choice import IndicatorChoice
from forensics.undertrained.indicator_trial import IndicatorInputs, choose_by_trial, fit_rows
from forensics.undertrained.indicators import Indicators
from forensics.undertrained.letter_probe import LetterProbe, letter_probe
from forensics.undertrained.nearest_rows import NearestRows, cosine_to_mean, nearest_rows
from forensics.undertrained.principal_component import first_principal_component
from forensics.undertrained.reference import Reference, find_reference, given_reference
from forensics.undertrained.rows import RowStatistics, row_statistics
from forensics.undertrained.witnesses import (
    WHY_WITHOUT,
    WITHOUT_REFERENCES,
    Witnesses,
    rank_without_references,
)

__all__ = ["Matrices", "WeightFindings", "analyse_weights"]


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

    def kept(self) -> Matrices:
        """Return the same matrices, decoded once for all passes where they fit `KEPT_BYTES`.

        The head comes first, because it is read more often.
        """
        if self.E_out is None:
            return replace(self, E_in=keep_within(KEPT_BYTES, self.E_in)[0])
        E_out, E_in = keep_within(KEPT_BYTES, self.E_out, self.E_in)
        return replace(self, E_in=E_in, E_out=E_out)


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
    #: Cosine of every row of `E_in` to their mean, shape (V,); NaN for broken rows.
    cosine_to_mean: npt.NDArray[np.float32]
    #: Remarks for the report: what was estimated and not computed to the end, and with what error.
    notes: tuple[str, ...] = ()
    #: Nearest rows in the matrix that ranks; None where not asked for.
    nearest: NearestRows | None = None
    #: How strongly each token's letters can be read from its row of `E_in`; None where not asked for.
    letters: LetterProbe | None = None

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
    witnesses: Witnesses | None = None,
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
    :param witnesses: What the columns need that do without references; None leaves them out.
    :param progress: Where to report.
    :raises ValueError: If the named indicator does not apply to this model (the message lists those
        that do).
    """
    progress = progress or Progress()
    matrices = matrices.kept()
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
    direction = None if component is None else component.direction
    inputs = IndicatorInputs(E_in, statistics, head, head_statistics, matrices.bias, direction, matrices.tied)
    indicators = inputs.compute(reference.ids, progress)
    nearest, letters, without = None, None, None
    if witnesses is not None:
        nearest, letters = _witnesses(inputs, witnesses, eligible, reference.has_evidence, rng, progress)
        if not reference.has_evidence:
            top10 = fit_rows(nearest.top10_cosine, E_in.shape[0])
            without = rank_without_references(top10, letters.letter_strength, eligible)
    if indicator is None and without is not None:
        indicators = {**indicators, WITHOUT_REFERENCES: without}
        choice = IndicatorChoice(WITHOUT_REFERENCES, WHY_WITHOUT, {})
    else:
        choice = _choice(inputs, indicators, reference, eligible, indicator, rng)
    values = indicators[choice.name]
    ranks = rank_rows(values, _problems(statistics, None if head is E_in else head_statistics))
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
        cosine_to_mean=cosine_to_mean(E_in, statistics),
        nearest=nearest,
        letters=letters,
        notes=tuple(filter(None, [component.remark()])) if component is not None else (),
    )


def _witnesses(
    inputs: IndicatorInputs,
    witnesses: Witnesses,
    eligible: npt.NDArray[np.bool_],
    has_evidence: bool,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[NearestRows, LetterProbe]:
    """Return what says something of a row without any reference token."""
    with progress.stage("letters"):
        usable = eligible & inputs.statistics.usable
        letters = letter_probe(inputs.E_in, witnesses.texts, witnesses.scripts, usable, rng)
    budget = witnesses.operations if has_evidence else witnesses.deciding
    return nearest_rows(inputs.head, inputs.head_statistics, operations=budget, progress=progress), letters


def _problems(statistics: RowStatistics, head_statistics: RowStatistics | None) -> npt.NDArray[np.str_]:
    """Return the problem of every row: one that training never moved in either matrix was never trained."""
    problems = statistics.problems
    if head_statistics is None:
        return problems
    never_moved = np.zeros(len(problems), dtype=bool)
    n = min(len(problems), len(head_statistics.never_moved))
    never_moved[:n] = head_statistics.never_moved[:n]
    return np.where((problems == "") & never_moved, "zero", problems)


def _choice(
    inputs: IndicatorInputs,
    indicators: Indicators,
    reference: Reference,
    eligible: npt.NDArray[np.bool_],
    named: str | None,
    rng: np.random.Generator,
) -> IndicatorChoice:
    """Return the indicator that the user named, or that tells the reference tokens best."""
    if named is None:
        return choose_by_trial(inputs, indicators, reference, eligible, rng)
    if named in indicators:
        return IndicatorChoice(named, "It was named by the user.", {})
    raise ValueError(f"{named!r} does not apply to this model; those that do: {', '.join(indicators)}")


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
    bias = np.zeros(V) if matrices.bias is None else fit_rows(np.nan_to_num(matrices.bias), V)
    grouped = (identical.group >= 0) & ((head_group >= 0) | (matrices.E_out is None))
    if not grouped.any():
        return own
    rows = np.flatnonzero(grouped)
    rows = rows[np.argsort(~eligible[rows], kind="stable")]  # the eligible first, each part by id
    keys = np.stack([identical.group, head_group, np.unique(bias, return_inverse=True)[1]], axis=1)[rows]
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    own[rows] = rows[first[inverse.reshape(-1)]]
    return own
