"""Numbers to stand beside the independence tests, without a verdict.

Models that never met can have high values of any likeness that is measured between tokens, since they
learned one language; thresholds on such values carry no error rate. Rows equal bit for bit are different:
they come from one start, from one file, or from values that were never trained.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from forensics.comparison.independence import BLOCK_ROWS
from forensics.matrices import RowMatrix

__all__ = ["identical_rows", "norm_cosine"]

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.floating]


def identical_rows(a: RowMatrix, b: RowMatrix, ids_a: Int64Array, ids_b: Int64Array) -> int:
    """Return how many shared tokens have the same row in both, bit for bit; none where widths differ.

    :param a: Embedding of A, shape (V_A, d).
    :param b: Embedding of B, shape (V_B, d).
    :param ids_a: Ids of the shared tokens in A, shape (n,).
    :param ids_b: Ids of the same tokens in B, shape (n,).
    """
    if a.shape[1] != b.shape[1]:
        return 0
    return sum(
        int((a.gather(ids_a[start : start + BLOCK_ROWS]) == b.gather(ids_b[start : start + BLOCK_ROWS]))
            .all(axis=1).sum())
        for start in range(0, len(ids_a), BLOCK_ROWS)
    )  # fmt: skip


def norm_cosine(a: Mapping[str, FloatArray], b: Mapping[str, FloatArray]) -> float | None:
    """Return the cosine of the norm layers of equal name and shape, joined; None where there are none.

    :param a: Tensor name -> weights of A.
    :param b: The same of B.
    """
    names = [name for name in a if name in b and a[name].shape == b[name].shape]
    if not names:
        return None
    one, other = (np.concatenate([side[name] for name in names]).astype(np.float64) for side in (a, b))
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else None
