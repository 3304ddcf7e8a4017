"""What all categories together say about every merge, as the matrices that the inference works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from forensics.mixture.counts import MergeCounts

__all__ = ["Denominator", "Evidence", "effective_counts", "gather_evidence", "usable_merges"]

FloatArray = npt.NDArray[np.float64]

#: Expected count of the learned pair at the last merge used: below it, what is most frequent is chance.
#: In the trial of benchmarks/mixture_accuracy.py fewer than about ten made the error grow.
LEAST_EXPECTED = 10.0


class Denominator(StrEnum):
    """What the counts of a category are divided by; the shares are converted to bytes in either case."""

    #: Bytes of the text.
    BYTES = "bytes"
    #: Pairs of neighbouring symbols before any merge, as in the source.
    PAIRS = "pairs"


@dataclass(frozen=True, eq=False)
class Evidence:
    """Counts per unit of text, by merge or pair and category."""

    #: Names of the categories, n of them.
    names: tuple[str, ...]
    #: Count of every learned pair at its own step, shape (T, n).
    W: FloatArray
    #: Counts of the pairs left at the end, shape (P, n).
    leftovers: FloatArray
    #: What the counts of every category were divided by, shape (n,).
    sizes: FloatArray
    #: Bytes of text per unit of `sizes`, shape (n,): turns proportions into shares of bytes.
    bytes_per_unit: FloatArray
    #: Relative variance of the counts in W between documents, shape (T, n); None where it is not known.
    clumping: FloatArray | None = None

    def share_of_bytes(self, alpha: FloatArray) -> FloatArray:
        """Return proportions in units of `sizes` as shares of bytes, sum to 1."""
        share = alpha * self.bytes_per_unit
        return np.asarray(share / share.sum(), dtype=np.float64)


def gather_evidence(
    names: Sequence[str],
    counts: Sequence[MergeCounts],
    pairs: Sequence[int],
    nbytes: Sequence[int],
    denominator: Denominator = Denominator.BYTES,
) -> Evidence:
    """Return the counts of all categories per unit of text.

    :param names: The categories.
    :param counts: Their counts, all under the same merge list.
    :param pairs: Pairs of neighbouring symbols in the text of each.
    :param nbytes: Bytes of the text of each.
    :param denominator: The unit.
    """
    size = np.array(nbytes if denominator is Denominator.BYTES else pairs, dtype=np.float64)
    keys = np.unique(np.concatenate([part.left_keys for part in counts]))
    leftovers = np.zeros((len(keys), len(counts)))
    for column, part in enumerate(counts):
        leftovers[np.searchsorted(keys, part.left_keys), column] = part.left_counts / size[column]
    W = np.stack([part.learned for part in counts], axis=1) / size
    return Evidence(tuple(names), W, leftovers, size, np.array(nbytes, dtype=np.float64) / size)


def effective_counts(W: FloatArray, sizes: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return, for every merge, the count that the mixture's estimate is as precise as, shape (T,).

    A category of which there is little text but much in the mixture makes the sum imprecise: counts are
    taken as Poisson, and the result is the squared mean over the variance.
    """
    mean = W @ alpha
    variance = (W / sizes) @ alpha**2
    return np.divide(mean**2, variance, out=np.zeros_like(mean), where=variance > 0)


def usable_merges(W: FloatArray, sizes: FloatArray, alpha: FloatArray, least: float = LEAST_EXPECTED) -> int:
    """Return up to which merge the expected count of the learned pair is at least `least`."""
    from scipy.optimize import isotonic_regression

    # On a logarithmic scale, so that a few merges that are common here by chance do not carry the tail.
    smooth = isotonic_regression(np.log1p(effective_counts(W, sizes, alpha)), increasing=False).x
    return int((smooth >= np.log1p(least)).sum())
