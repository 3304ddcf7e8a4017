"""The tightest neighbourhood of a matrix: what stands in where no evidence names unused tokens.

A matrix that is kept in memory is searched row by row. Of a larger one the rows are first projected on
random directions, all in one pass (Johnson and Lindenstrauss 1984): cosines of projections propose, for
every centre, more rows than are wanted, and the rows themselves decide among those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import KEPT_BYTES, ArrayMatrix, RowMatrix, blocks, centred_blocks
from forensics.undertrained.directions import directions, mean_cosine, normalise
from forensics.undertrained.principal_component import leading_directions
from forensics.undertrained.rows import RowStatistics

__all__ = ["densest_neighbourhood"]

#: Neighbours averaged, seeds per fringe, and leading directions whose ends count as fringe.
_NEIGHBOURS, _SEEDS, _AXES = 16, 12, 4
#: Random directions of the projection, and rows proposed by it for every neighbour wanted. The projected
#: cosine of rows at right angles is off by 1 / sqrt(64) = 0.125 (one standard deviation), that of rows
#: that are alike by less, and a neighbourhood that counts as tight has cosines above 0.5.
_PROJECTED, _PROPOSED = 64, 8

Float32Array = npt.NDArray[np.float32]


def densest_neighbourhood(
    matrix: RowMatrix, statistics: RowStatistics, rng: np.random.Generator, *, exact_bytes: int = KEPT_BYTES
) -> tuple[npt.NDArray[np.int64], float]:
    """Return the rows of the tightest neighbourhood at the fringe, and their mean cosine.

    Rows that training left alone lie close together and, as the rest of the matrix moves, apart from
    it: at an end of the norms, of the leading directions, or in the last rows of the vocabulary. Seeds
    are taken there; each is moved to the mean of its nearest rows twice, and the neighbourhood whose
    rows are most alike wins.

    :param matrix: The matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param rng: The run's generator; draws a sample for the leading directions.
    :param exact_bytes: Size as float32 up to which every row is compared with every centre, in bytes.
    :return: Row numbers, ascending, and the mean cosine between two of them after centring; no row where
        none has a direction.
    """
    usable = np.flatnonzero(statistics.usable)
    if len(usable) == 0:
        return usable, 0.0
    sample = np.sort(rng.choice(usable, size=min(4096, len(usable)), replace=False))
    units = directions(matrix, statistics, sample)
    axes = leading_directions(units, min(_AXES, *units.shape), rng)  # (d, a)
    sketch: _Sketch | None = None
    if 4 * matrix.shape[0] * matrix.shape[1] <= exact_bytes:
        projections = _project(matrix, statistics, axes)  # (V, a)
    else:
        planes = rng.standard_normal((matrix.shape[1], _PROJECTED), dtype=np.float32)
        both = _project(matrix, statistics, np.hstack([axes, planes]))
        projections, sketch = both[:, : axes.shape[1]], _Sketch(planes, both[:, axes.shape[1] :])
    seeds: list[npt.NDArray[np.int64]] = [usable[-_SEEDS:]]
    for values in (statistics.norms, *projections.T):
        order = usable[np.argsort(values[usable], kind="stable")]
        seeds += [order[:_SEEDS], order[-_SEEDS:]]
    centres = directions(matrix, statistics, np.unique(np.concatenate(seeds)))  # (s, d)
    nearest = np.empty((0, 0), dtype=np.int64)
    k = min(_NEIGHBOURS, len(usable))
    for _ in range(2):
        if sketch is None:
            nearest = _nearest_rows(matrix, statistics.mean_row, statistics.usable, centres, k)
        else:
            nearest = sketch.nearest_rows(matrix, statistics, centres, k)
        means = np.stack([directions(matrix, statistics, row).mean(axis=0) for row in nearest])
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        # Rows that point everywhere, or nowhere, have no direction in common.
        centres = np.asarray(means / np.where(lengths > 0, lengths, 1), dtype=np.float32)
    tightness = [mean_cosine(directions(matrix, statistics, row)) or 0.0 for row in nearest]
    best = int(np.argmax(tightness))
    return np.sort(nearest[best]), float(tightness[best])


@dataclass(frozen=True, eq=False)
class _Sketch:
    """The centred rows of a matrix on random directions."""

    #: The directions, shape `(d, p)`.
    planes: Float32Array
    #: The projections, shape `(V, p)`.
    projections: Float32Array

    def nearest_rows(
        self, matrix: RowMatrix, statistics: RowStatistics, centres: Float32Array, k: int
    ) -> npt.NDArray[np.int64]:
        """Return the `k` rows of largest cosine to each centre among those the projections propose."""
        proposed = _nearest_rows(
            ArrayMatrix(self.projections),
            np.zeros(self.planes.shape[1], dtype=np.float32),
            statistics.usable,
            centres @ self.planes,
            min(_PROPOSED * k, int(statistics.usable.sum())),
        )
        nearest = np.empty((len(centres), k), dtype=np.int64)
        for place, (centre, rows) in enumerate(zip(centres, proposed, strict=True)):
            cosines = directions(matrix, statistics, rows) @ centre
            nearest[place] = rows[np.argsort(-cosines, kind="stable")[:k]]
        return nearest


def _project(matrix: RowMatrix, statistics: RowStatistics, axes: Float32Array) -> Float32Array:
    """Return the centred rows on `axes`, shape `(V, number of axes)`."""
    projections = np.empty((matrix.shape[0], axes.shape[1]), dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for start, block, centred in centred_blocks(matrix, statistics.mean_row):
            projections[start : start + len(block)] = centred @ axes
    return projections


def _nearest_rows(
    matrix: RowMatrix,
    mean_row: Float32Array,
    usable: npt.NDArray[np.bool_],
    centres: Float32Array,
    k: int,
) -> npt.NDArray[np.int64]:
    """Return the `k` usable rows of largest cosine (centred) to each centre, shape `(s, k)`."""
    best = np.full((len(centres), k), -np.inf, dtype=np.float32)
    rows = np.full((len(centres), k), -1, dtype=np.int64)
    for start, block in blocks(matrix):
        ids = start + np.flatnonzero(usable[start : start + len(block)])
        if len(ids) == 0:
            continue
        units = normalise(block[ids - start] - mean_row)
        cosines = centres @ units.T
        cosines[np.isnan(cosines)] = -2  # of rows too large to be centred: behind all others
        values = np.concatenate([best, cosines], axis=1)
        names = np.concatenate([rows, np.broadcast_to(ids, (len(centres), len(ids)))], axis=1)
        top = np.argpartition(-values, k - 1, axis=1)[:, :k]
        best, rows = np.take_along_axis(values, top, axis=1), np.take_along_axis(names, top, axis=1)
    return rows
