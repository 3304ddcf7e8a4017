"""Directions of rows: centred on the mean row of the matrix and scaled to unit length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix
from forensics.undertrained.rows import RowStatistics

__all__ = ["directions", "mean_cosine", "normalise"]


def directions(
    matrix: RowMatrix, statistics: RowStatistics, ids: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return the centred rows of `ids`, scaled to unit length, shape `(k, d)`."""
    rows = matrix.gather(ids)  # in place from here on: rows of thousands of numbers take much memory
    rows -= statistics.mean_row
    rows /= _lengths(rows)
    return rows


def normalise(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the rows scaled to unit length, shape `(k, d)`; rows of zeros stay."""
    return np.asarray(rows / _lengths(rows), dtype=np.float32)


def _lengths(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the lengths of rows, 1 for rows of zeros, shape `(k, 1)`."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.where(norms > 0, norms, 1), dtype=np.float32)


def mean_cosine(units: npt.NDArray[np.float32]) -> float | None:
    """Return the mean cosine over pairs of different rows: `(|sum u|^2 - k) / (k (k - 1))`."""
    k = len(units)
    if k < 2:
        return None
    total = units.sum(axis=0, dtype=np.float64)
    return float((total @ total - k) / (k * (k - 1)))
