"""The tightest neighbourhood of a matrix: what stands in where no evidence names unused tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, blocks
from forensics.undertrained.directions import directions, mean_cosine, normalise
from forensics.undertrained.principal_component import leading_directions
from forensics.undertrained.rows import RowStatistics

__all__ = ["densest_neighbourhood"]

#: Neighbours averaged, seeds per fringe, and leading directions whose ends count as fringe.
_NEIGHBOURS, _SEEDS, _AXES = 16, 12, 4


def densest_neighbourhood(
    matrix: RowMatrix, statistics: RowStatistics, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], float]:
    """Return the rows of the tightest neighbourhood at the fringe, and their mean cosine.

    Rows that training left alone lie close together and, as the rest of the matrix moves, apart from
    it: at an end of the norms, of the leading directions, or in the last rows of the vocabulary. Seeds
    are taken there; each is moved to the mean of its nearest rows twice, and the neighbourhood whose
    rows are most alike wins.

    :param matrix: The matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param rng: The run's generator; draws a sample for the leading directions.
    :return: Row numbers, ascending, and the mean cosine between two of them after centring.
    """
    usable = np.flatnonzero(statistics.usable)
    sample = np.sort(rng.choice(usable, size=min(4096, len(usable)), replace=False))
    units = directions(matrix, statistics, sample)
    axes = leading_directions(units, min(_AXES, *units.shape), rng)  # (d, a)
    projections = np.empty((matrix.shape[0], axes.shape[1]), dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for start, block in blocks(matrix):
            projections[start : start + len(block)] = (block - statistics.mean_row) @ axes
    seeds: list[npt.NDArray[np.int64]] = [usable[-_SEEDS:]]
    for values in (statistics.norms, *projections.T):
        order = usable[np.argsort(values[usable], kind="stable")]
        seeds += [order[:_SEEDS], order[-_SEEDS:]]
    centres = directions(matrix, statistics, np.unique(np.concatenate(seeds)))  # (s, d)
    nearest = np.empty((0, 0), dtype=np.int64)
    k = min(_NEIGHBOURS, len(usable))
    for _ in range(2):
        nearest = _nearest_rows(matrix, statistics, centres, k)
        means = np.stack([directions(matrix, statistics, row).mean(axis=0) for row in nearest])
        centres = means / np.linalg.norm(means, axis=1, keepdims=True)
    tightness = [mean_cosine(directions(matrix, statistics, row)) or 0.0 for row in nearest]
    best = int(np.argmax(tightness))
    return np.sort(nearest[best]), float(tightness[best])


def _nearest_rows(
    matrix: RowMatrix, statistics: RowStatistics, centres: npt.NDArray[np.float32], k: int
) -> npt.NDArray[np.int64]:
    """Return the `k` usable rows of largest cosine (centred) to each centre, shape `(s, k)`."""
    best = np.full((len(centres), k), -np.inf, dtype=np.float32)
    rows = np.full((len(centres), k), -1, dtype=np.int64)
    for start, block in blocks(matrix):
        ids = start + np.flatnonzero(statistics.usable[start : start + len(block)])
        if len(ids) == 0:
            continue
        units = normalise(block[ids - start] - statistics.mean_row)
        values = np.concatenate([best, centres @ units.T], axis=1)
        names = np.concatenate([rows, np.broadcast_to(ids, (len(centres), len(ids)))], axis=1)
        top = np.argpartition(-values, k - 1, axis=1)[:, :k]
        best, rows = np.take_along_axis(values, top, axis=1), np.take_along_axis(names, top, axis=1)
    return rows
