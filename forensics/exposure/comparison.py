"""Two sets of numbers compared: area under the curve with an interval, and an exact kind of p-value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["auroc", "auroc_interval", "permutation_p"]

Float64Array = npt.NDArray[np.float64]

#: Permutations held in memory together.
_BLOCK = 500


def auroc(higher: Float64Array, lower: Float64Array) -> float:
    """Return the chance that a number of `higher` exceeds one of `lower`, ties counting half.

    >>> auroc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left")
    not_above = np.searchsorted(ordered, higher, "right")
    return float((below + not_above).sum() / (2 * len(higher) * len(lower)))


def auroc_interval(
    higher: Float64Array, lower: Float64Array, rng: np.random.Generator, draws: int
) -> tuple[float, float]:
    """Return the 95 % interval of `auroc` by drawing each set anew with replacement.

    :param higher: One set.
    :param lower: The other.
    :param rng: The run's generator.
    :param draws: How often.
    """
    found = [
        auroc(rng.choice(higher, size=len(higher)), rng.choice(lower, size=len(lower))) for _ in range(draws)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def permutation_p(higher: Float64Array, lower: Float64Array, rng: np.random.Generator, draws: int) -> float:
    """Return the one-sided p of a difference in means so large, if it were chance who is in which set.

    :param higher: The set that should have the higher mean.
    :param lower: The other.
    :param rng: The run's generator.
    :param draws: Random divisions; p is at least 1 / (draws + 1).
    """
    everything = np.concatenate([higher, lower])
    n = len(higher)
    # The sum of one set decides: that of both is the same in every division. Numbers are as equal as rounding
    # leaves them.
    slack = 1e-9 * float(np.abs(everything).sum())
    observed = everything[:n].sum() - slack
    at_least = 0
    for first in range(0, draws, _BLOCK):
        count = min(_BLOCK, draws - first)
        order = rng.permuted(np.tile(np.arange(len(everything)), (count, 1)), axis=1)[:, :n]
        at_least += int((everything[order].sum(axis=1) >= observed).sum())
    return (1 + at_least) / (1 + draws)
