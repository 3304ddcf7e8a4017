"""How unlike the documents of a category are in the counts of every merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.mixture.document_counts import DocumentCounts

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["PARTS", "clumping_of"]

#: Parts of a category between which counts are compared, of neighbouring documents: a document that is
#: larger than a part makes two of them look alike.
PARTS = 20


def clumping_of(
    counts: DocumentCounts, learned: sparse.csr_array, chosen: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """Return the relative variance of the count of every merge in each category's text, shape (T, n).

    It is that of the total, estimated from parts of the text: of a count that is Poisson, one over the count.
    Where a pair does not occur it is nought.

    :param counts: The documents.
    :param learned: How often every word holds each merge, as `document_counts.trace` says, shape (T, W).
    :param chosen: Which piles are looked at, shape (D,); default all.
    """
    columns = []
    for number in range(len(counts.names)):
        own = counts.category == number
        piles = np.flatnonzero(own if chosen is None else own & chosen)
        part = (np.arange(len(piles)) * min(PARTS, len(piles))) // len(piles)
        join = np.eye(part[-1] + 1)[part]
        found = np.asarray((learned @ counts.counts[:, piles]) @ join)
        columns.append(_relative_variance(found, counts.nbytes[piles] @ join))
    return np.stack(columns, axis=1)


def _relative_variance(
    counts: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the variance of the sums of rows over their squares, shape (T,).

    :param counts: Counts by merge and part, shape (T, D).
    :param sizes: Bytes of every part, shape (D,).
    """
    total = counts.sum(axis=1)
    away = counts - np.outer(total / sizes.sum(), sizes)
    variance = np.square(away).sum(axis=1) * len(sizes) / max(1, len(sizes) - 1)
    zero = np.zeros(len(counts), dtype=np.float64)
    return np.asarray(np.divide(variance, total**2, out=zero, where=total > 0), dtype=np.float64)
