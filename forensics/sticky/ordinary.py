"""The ordinary token, against which every other is held, and the least effect that counts.

The ordinary token is the median of a random sample, probe by probe. How far ordinary tokens lie apart says
from where on a token is out of the ordinary; what a token costs a user says from where on it matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from forensics.sticky.contraction import TokenRegression
from forensics.sticky.interface import Float64Array

__all__ = [
    "LEAST_EFFECT",
    "SPREADS",
    "Ordinary",
    "by_probe",
    "describe_ordinary",
    "least_effect",
    "robust_spread",
]

#: The least effect that a user notices. On all-MiniLM-L6-v2, over 64 tokens spread evenly over effects from
#: -0.2 to 0.6, the effect ranks what eight copies do to nDCG@10 (Spearman -0.85 in the queries, -0.90 in the
#: document sought): from 0.88 untouched to 0.80 at effect 0, 0.66 at 0.25 and 0.44 above 0.45. At 0.25 a user
#: loses a quarter, some three times an ordinary token's cost (`python -m benchmarks.sticky_constants`).
#: One copy alone costs about 0.05, whatever the effect.
LEAST_EFFECT = 0.25
#: In a model whose ordinary tokens differ much among themselves, this many of their standard deviations are
#: asked for instead. On all-MiniLM-L6-v2 one is 0.08, so that both rules say 0.25 there.
SPREADS = 3.0
_BOOTSTRAP = 1000


@dataclass(frozen=True, eq=False)
class Ordinary:
    """The median ordinary token on one set of sentences."""

    #: Its slopes, `(probes,)`.
    slopes: Float64Array
    #: Standard error of their mean, as a share of it: what another sample of tokens would change.
    error: float
    #: Effects of the sample's tokens, `(sample,)`.
    effects: Float64Array


def describe_ordinary(measured: Mapping[int, TokenRegression], seed: Sequence[int]) -> Ordinary:
    """Return the median of a random sample of tokens with its standard error (bootstrap over tokens).

    :param measured: Token id -> regression of one set of sentences.
    :param seed: Seed of the bootstrap.
    """
    slopes = np.array([by_probe(measured[i]) for i in sorted(measured)])  # (sample, probes)
    median = np.median(slopes, axis=0)
    rng = np.random.default_rng(list(seed))
    drawn = rng.integers(0, len(slopes), size=(_BOOTSTRAP, len(slopes)))
    means = np.array([np.median(slopes[rows], axis=0).mean() for rows in drawn])
    mean = float(median.mean())
    return Ordinary(median, float(means.std()) / mean, 1 - slopes.mean(axis=1) / mean)


def by_probe(regression: TokenRegression) -> Float64Array:
    """Return the mean slope per probe, `(probes,)`: cells stand probe after probe, three modes each."""
    slopes: Float64Array = regression.slope.reshape(-1, 3).mean(axis=1)
    return slopes


def least_effect(spread: float) -> float:
    """Return the least effect that counts where ordinary tokens have this standard deviation.

    >>> least_effect(0.05), least_effect(0.2).__round__(6)
    (0.25, 0.6)
    """
    return max(LEAST_EFFECT, SPREADS * spread)


def robust_spread(values: Float64Array) -> float:
    """Return the standard deviation that outliers do not move: Q_n of Rousseeuw and Croux 1993.

    The sample holds as many sticky tokens as the vocabulary does, and those must not widen what counts as
    ordinary. Q_n is the lower quartile of the distances between any two values, scaled to the standard
    deviation of a normal distribution; from 64 values its own standard error is 10 % (the median absolute
    deviation's: 14 %).

    :param values: At least 2, shape `(n,)`.
    """
    n = len(values)
    left, right = np.triu_indices(n, k=1)
    rank = comb(n // 2 + 1, 2) - 1
    quartile = np.partition(np.abs(values[left] - values[right]), rank)[rank]
    # Their correction for small samples, of ten values or more.
    small = n / (n + 1.4) if n % 2 else n / (n + 3.8)
    return 2.2219 * float(quartile) * small
