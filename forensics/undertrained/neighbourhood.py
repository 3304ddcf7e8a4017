"""The tightest neighbourhood of a matrix: what stands in where no evidence names unused tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, blocks
from forensics.undertrained.directions import directions, mean_cosine
from forensics.undertrained.principal_component import leading_directions
from forensics.undertrained.rows import RowStatistics

__all__ = ["densest_neighbourhood"]

#: Neighbours averaged, seeds per fringe, and leading directions whose ends count as fringe.
_NEIGHBOURS, _SEEDS, _AXES = 16, 12, 4
#: Rows per fringe among which neighbours are sought. The whole matrix would be read twice more and compared
#: with every seed: half the cost of the search at 128,256 x 8,192, for neighbours that are at the fringe too.
_POOL = 1024


def densest_neighbourhood(
    matrix: RowMatrix, statistics: RowStatistics, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], float]:
    """Return the rows of the tightest neighbourhood at the fringe, and their mean cosine.

    Rows that training left alone lie close together and, as the rest of the matrix moves, apart from
    it: at an end of the norms, of the leading directions, or in the last rows of the vocabulary. Seeds
    are taken there; each is moved to the mean of its nearest rows twice, and the neighbourhood whose
    rows are most alike wins. Neighbours are sought among the rows of the same fringes, read once.

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
    seeds, pool = [usable[-_SEEDS:]], [usable[-_POOL:]]
    for values in (statistics.norms, *projections.T):
        order = usable[np.argsort(values[usable], kind="stable")]
        seeds += [order[:_SEEDS], order[-_SEEDS:]]
        pool += [order[:_POOL], order[-_POOL:]]
    fringe = np.unique(np.concatenate(pool))
    units = directions(matrix, statistics, fringe)  # (p, d)
    centres = units[np.searchsorted(fringe, np.unique(np.concatenate(seeds)))]  # (s, d)
    k = min(_NEIGHBOURS, len(fringe))
    for _ in range(2):
        nearest = np.argpartition(-(centres @ units.T), k - 1, axis=1)[:, :k]  # (s, k)
        means = units[nearest].mean(axis=1)
        centres = means / np.linalg.norm(means, axis=1, keepdims=True)
    tightness = [mean_cosine(units[row]) or 0.0 for row in nearest]
    best = int(np.argmax(tightness))
    return np.sort(fringe[nearest[best]]), float(tightness[best])
