"""What stands in place of an untrained row: the mean of well-trained rows, the mean of its parts, or zero.

The mean row is short, because trained rows point everywhere, and that is what makes it safe: it is far from
every hidden state. Scaled up to the norm of a trained row the same direction competes everywhere, and
perplexity rises by an eighth (SmolLM2-135M, 600 tokens: 14.89 to 16.86), so that is not offered. In a head of
its own the mean is written whatever the method: parts would make the token likely where its parts are. A bias
gets the least value that a trained token has.

No row makes a token known. It makes it harmless, and a start from which it can be trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, blocks

__all__ = ["mean_row", "new_rows", "row_norms"]

Float32Array = npt.NDArray[np.float32]


def mean_row(matrix: RowMatrix, is_trained: npt.NDArray[np.bool_]) -> Float32Array:
    """Return the mean of the trained rows, shape (d,), summed in double precision.

    :param matrix: The matrix, shape (V, d).
    :param is_trained: Which rows count, shape (V,); those with a number that is none are left out.
    """
    total, count = np.zeros(matrix.shape[1]), 0
    for first, block in blocks(matrix):
        rows = block[is_trained[first : first + len(block)]]
        rows = rows[np.isfinite(rows).all(axis=1)]
        total += rows.sum(axis=0, dtype=np.float64)
        count += len(rows)
    return np.asarray(total / max(1, count), dtype=np.float32)


def new_rows(
    method: str,
    matrix: RowMatrix,
    ids: Sequence[int],
    mean: Float32Array,
    parts: Mapping[int, Sequence[int]],
) -> Float32Array:
    """Return what stands in the rows of `ids` afterwards, shape (n, d).

    :param method: `mean`, `parts` or `zero`.
    :param matrix: The matrix, shape (V, d).
    :param ids: Rows; those at V and beyond are new.
    :param mean: See `mean_row`.
    :param parts: Row -> the tokens it is made of, for `parts`; a row without any gets the mean.
    """
    if method == "zero":
        return np.zeros((len(ids), matrix.shape[1]), dtype=np.float32)
    rows = np.tile(mean, (len(ids), 1))
    if method == "parts":
        for place, token in enumerate(ids):
            if parts.get(token):
                rows[place] = matrix.gather(list(parts[token])).mean(axis=0, dtype=np.float64)
    return rows


def row_norms(matrix: RowMatrix) -> npt.NDArray[np.float64]:
    """Return the norm of every row, shape (V,)."""
    found = [np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64)) for _, block in blocks(matrix)]
    return np.concatenate(found)
