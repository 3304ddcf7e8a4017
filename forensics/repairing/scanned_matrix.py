"""Whether a scan was one of this matrix: its column of norms or distances, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.matrices import RowMatrix, blocks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["agreement"]

#: Relative difference that quantising to eight bits may make.
_TOLERANCE = 0.01


def agreement(matrix: RowMatrix, tokens: pd.DataFrame, reference: Sequence[int]) -> float | None:
    """Return the share of rows that have the numbers which a scan wrote down; None where it wrote none.

    A scan has the norms of the embedding of an untied model, and of any model with reference tokens the
    distances of the head's rows to their mean. Those of one matrix in two formats agree to a percent.

    :param matrix: The embedding at hand, shape (V, d).
    :param tokens: The table of the scan.
    :param reference: Its reference tokens.
    """
    V = matrix.shape[0]
    if "ein_l2_norm" in tokens.columns:
        column, centre = "ein_l2_norm", np.zeros(matrix.shape[1], dtype=np.float32)
    elif "eout_l2" in tokens.columns and reference:
        column = "eout_l2"
        rows = matrix.gather([row for row in reference if row < V])
        rows = rows[np.isfinite(rows).all(axis=1) & (rows != 0).any(axis=1)]
        centre = rows.mean(axis=0) if len(rows) else np.zeros(matrix.shape[1], dtype=np.float32)
    else:
        return None
    written = tokens[column].to_numpy(dtype=np.float64)[:V]
    found = np.empty(V)
    with np.errstate(invalid="ignore", over="ignore"):
        for first, block in blocks(matrix):
            found[first : first + len(block)] = np.linalg.norm(block - centre, axis=1)
    known = np.isfinite(written) & np.isfinite(found)
    if not known.any():
        return None
    slack = _TOLERANCE * np.maximum(written, np.median(written[known]))
    return float((np.abs(written - found)[known] <= slack[known]).mean())
