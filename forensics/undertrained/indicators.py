"""The weight indicators of Land and Bartolo 2024 (arXiv 2405.05417, section 3.2).

Low means suspicious for every one of them. Distances are to the mean of the reference tokens, tokens
that no training text can have contained.

| name | value |
|---|---|
| `ein_l2_norm` | Euclidean norm of the row of `E_in` |
| `ein_cosine` | cosine distance of the row of `E_in` to the reference mean |
| `eout_cosine` | cosine distance of the row of `E_out` to the reference mean |
| `eout_cosine_centered` | the same after the mean row of the whole matrix is subtracted |
| `eout_cosine_no_pc1` | the same after the projection on the first principal component is removed |
| `eout_l2` | Euclidean (not squared) distance of the row of `E_out` to the reference mean |
| `eout_bias` | the head's bias |

Readings taken where the paper leaves room: the mean is over the reference rows as they stand, not over
their unit vectors; the component is that of the centred matrix and is removed from the uncentred rows.
Beyond the paper: `ein_cosine`. Where the reference rows are zero, they have a direction only after
centring: the two uncentred cosine distances are left out then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, blocks, centred_blocks
from forensics.progress import Progress
from forensics.undertrained.rows import RowStatistics

__all__ = ["embedding_indicators", "unembedding_indicators"]

Indicators = dict[str, npt.NDArray[np.float32]]


def embedding_indicators(
    E_in: RowMatrix,
    statistics: RowStatistics,
    reference_ids: Sequence[int],
    progress: Progress | None = None,
) -> Indicators:
    """Return `ein_l2_norm` and, where there are reference tokens, `ein_cosine`; each `(V,)` float32.

    :param E_in: The embedding matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param reference_ids: Reference tokens; may be empty.
    :param progress: Where to report.
    """
    indicators: Indicators = {"ein_l2_norm": statistics.norms.copy()}
    ids = _usable(reference_ids, statistics)
    if not statistics.usable[ids].any():  # none, or rows at zero, which have no direction
        return indicators
    mean = E_in.gather(ids).mean(axis=0)
    cosine = np.empty(E_in.shape[0], dtype=np.float32)
    with (
        (progress or Progress()).stage("embedding indicators", total=E_in.shape[0], unit="rows") as bar,
        np.errstate(invalid="ignore", over="ignore"),
    ):
        for start, block in blocks(E_in):
            stop = start + len(block)
            cosine[start:stop] = _cosine_distance(block @ mean, statistics.norms[start:stop], mean)
            bar.advance(len(block))
    cosine[~statistics.usable] = np.nan
    indicators["ein_cosine"] = cosine
    return indicators


def unembedding_indicators(
    E_out: RowMatrix,
    statistics: RowStatistics,
    reference_ids: Sequence[int],
    component: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32] | None = None,
    progress: Progress | None = None,
) -> Indicators:
    """Return the `eout_*` indicators that apply, each `(V,)` float32, in one pass over `E_out`.

    Rows without a direction (NaN, Inf, all zero) have NaN for the cosine distances.

    :param E_out: The unembedding matrix, shape `(V, d)` (the embedding matrix of a tied model).
    :param statistics: Its `RowStatistics`.
    :param reference_ids: Reference tokens; without any, only `eout_bias` can be computed.
    :param component: First principal component of the centred rows, shape `(d,)`, unit length.
    :param bias: Bias of the head, shape `(V,)`, or None.
    :param progress: Where to report.
    """
    indicators: Indicators = {}
    ids = _usable(reference_ids, statistics)
    if len(ids):
        indicators.update(_distances(E_out, statistics, ids, component, progress or Progress()))
    if bias is not None:
        indicators["eout_bias"] = np.asarray(bias, dtype=np.float32).copy()
    return indicators


def _distances(
    E_out: RowMatrix,
    statistics: RowStatistics,
    ids: npt.NDArray[np.int64],
    component: npt.NDArray[np.float32],
    progress: Progress,
) -> Indicators:
    V = E_out.shape[0]
    names = ("eout_cosine", "eout_cosine_centered", "eout_cosine_no_pc1", "eout_l2")
    cosine, centred, no_pc1, distance = (np.empty(V, dtype=np.float32) for _ in names)
    mean = E_out.gather(ids).mean(axis=0)  # (d,)
    centred_mean = mean - statistics.mean_row
    along = float(mean @ component)
    mean_no_pc1 = mean - along * component
    with (
        progress.stage("unembedding indicators", total=V, unit="rows") as bar,
        np.errstate(invalid="ignore", over="ignore"),
    ):
        for start, block, rest in centred_blocks(E_out, statistics.mean_row):
            rows = slice(start, start + len(block))
            norms = statistics.norms[rows]
            dots, projections = block @ mean, block @ component  # (n,), (n,)
            cosine[rows] = _cosine_distance(dots, norms, mean)
            # |x - p c|^2 = |x|^2 - p^2, because c has unit length; likewise for the product.
            left = np.sqrt(np.maximum(norms * norms - projections * projections, 0))
            no_pc1[rows] = _cosine_distance(dots - projections * along, left, mean_no_pc1)
            centred[rows] = _cosine_distance(rest @ centred_mean, _norms(rest), centred_mean)
            rest -= centred_mean
            distance[rows] = _norms(rest)
            bar.advance(len(block))
    if not statistics.usable[ids].any():  # the reference is the origin
        centred[~(statistics.usable | statistics.never_moved)] = np.nan
        return {"eout_cosine_centered": centred, "eout_l2": distance}
    for values in (cosine, centred, no_pc1):
        values[~statistics.usable] = np.nan
    return dict(zip(names, (cosine, centred, no_pc1, distance), strict=True))


def _usable(ids: Sequence[int], statistics: RowStatistics) -> npt.NDArray[np.int64]:
    """Return the reference rows that have a direction, or those at zero where none has."""
    array = np.asarray(ids, dtype=np.int64)
    if len(array) == 0:
        return array
    usable = array[statistics.usable[array]]
    return usable if len(usable) else array[statistics.never_moved[array]]


def _norms(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", block, block)), dtype=np.float32)


def _cosine_distance(
    dots: npt.NDArray[np.float32], norms: npt.NDArray[np.float32], vector: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return `1 - dots / (norms |vector|)`; a norm of zero gives NaN and no warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - dots / (norms * np.float32(np.linalg.norm(vector))), dtype=np.float32)
