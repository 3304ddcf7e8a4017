"""Whether a model prefers the order in which a data set was published (Oren et al. 2023, arXiv 2310.17623).

If the lines are exchangeable, a model that never saw them in this order finds it as likely as any other. The
data set is cut into shards, and in each the given order is compared with random ones. The published test puts
the differences of the shards through a t-test, with a standard deviation that is too small and no p below
1e-16. Here the rank of the given order in each shard counts, and the sum of ranks: under exchangeability
every rank is as likely as any other, in every shard independently, so that the distribution of the sum is
known and p is exact, whatever the log-probabilities are distributed like and however small it is. An order
that is as likely as the given one counts against it, which makes p larger than exact where lines repeat.

Exchangeability is what whoever asks says of the data. Where neighbouring lines belong together it is false,
and a model prefers the order without having seen it: see `forensics.exposure.blind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_LINES", "cut_shards", "rank_sum_p", "shuffled_orders"]

#: Lines of a shard at least: fewer have so few orders that the given one comes again among the random ones,
#: and counts against itself.
LEAST_LINES = 5


def cut_shards(lines: int, shards: int) -> list[slice]:
    """Return stretches of nearly equal length, each of at least `LEAST_LINES`.

    >>> cut_shards(16, 3)
    [slice(0, 5, None), slice(5, 10, None), slice(10, 16, None)]

    :param lines: Lines of the data set, at least `LEAST_LINES`.
    :param shards: Stretches wanted; fewer where there are too few lines.
    """
    count = max(1, min(shards, lines // LEAST_LINES))
    ends = [lines * number // count for number in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(ends)]


def shuffled_orders(lines: int, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the given order and then `count` random ones, shape (1 + count, lines)."""
    random = rng.permuted(np.tile(np.arange(lines), (count, 1)), axis=1)
    return np.concatenate([np.arange(lines)[None], random]).astype(np.int64)


def rank_sum_p(at_least: Sequence[int], shuffles: int) -> float:
    """Return the exact p of ranks so low, one-sided.

    >>> rank_sum_p([0, 0], 9)
    0.01

    :param at_least: For each shard the number of random orders that are at least as likely as the given one.
    :param shuffles: Random orders of each shard.
    """
    total = sum(at_least)
    # Share of the ways in which the ranks of so many shards sum to each number. Below `shuffles` nothing is
    # subtracted, so that the smallest shares keep their digits.
    shares = np.ones(1)
    for _ in at_least:
        summed = np.cumsum(np.concatenate([shares, np.zeros(shuffles)]))
        shares = (summed - np.concatenate([np.zeros(shuffles + 1), summed[: -shuffles - 1]])) / (shuffles + 1)
    return float(min(1.0, shares[: total + 1].sum()))
