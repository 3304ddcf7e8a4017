"""Distances from some rows to their nearest among many, in blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix

__all__ = ["neighbour_distances"]

#: Rows compared at a time.
_CHUNK = 8192


def neighbour_distances(
    matrix: RowMatrix, asked: npt.NDArray[np.int64], among: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.float64]:
    """Return Euclidean distances to the `k` nearest rows, ascending, the row itself left out, shape (n, k).

    :param matrix: The matrix, shape `(V, d)`.
    :param asked: Rows whose neighbours are sought, shape (n,).
    :param among: Rows that count as neighbours, ascending; more than `k` of them.
    :param k: Neighbours wanted.
    :raises ValueError: If there are too few rows.
    """
    if len(among) <= k:
        raise ValueError(f"{k} neighbours are wanted of {len(among)} rows")
    rows = matrix.gather(asked)  # (n, d)
    squares = np.einsum("ij,ij->i", rows, rows)
    best = np.empty((len(asked), 0), dtype=np.float32)
    for start in range(0, len(among), _CHUNK):
        ids = among[start : start + _CHUNK]
        block = matrix.gather(ids)
        found = squares[:, None] + np.einsum("ij,ij->i", block, block) - 2 * rows @ block.T
        found[asked[:, None] == ids[None]] = np.inf
        best = np.concatenate([best, found], axis=1)
        if best.shape[1] > k:
            best = np.partition(best, k - 1, axis=1)[:, :k]
    return np.sqrt(np.sort(np.maximum(best, 0), axis=1).astype(np.float64))
