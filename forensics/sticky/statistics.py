"""Effects with their intervals, and false-discovery control over the vocabulary.

The unit of repetition is the probe: its three modes and its pairs are averaged first, because pairs that
share a probe are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.sticky.interface import Float64Array

__all__ = ["Effect", "benjamini_hochberg", "estimate_effect", "interval_of_mean", "rank_correlation"]

#: Coverage of the intervals.
COVERAGE = 0.95


@dataclass(frozen=True)
class Effect:
    """How much more a token contracts than the median ordinary token does."""

    #: 1 - slope / slope of the median ordinary token, over all probes.
    effect: float
    #: Ends of its 95 % interval over probes.
    low: float
    #: See `low`.
    high: float
    #: One-sided p-value of "the effect is at most the minimum".
    p_value: float


def estimate_effect(
    slopes: Float64Array, ordinary: Float64Array, minimum: float, ordinary_error: float = 0.0
) -> Effect:
    """Return the effect of one token from paired differences to the ordinary one.

    :param slopes: The token's mean slope per probe, `(probes,)`.
    :param ordinary: The median ordinary token's, `(probes,)`; above 0 on average.
    :param minimum: The least effect that counts; the test is against this and not against 0, because
        with enough probes half of any vocabulary differs from its median.
    :param ordinary_error: Relative standard error of the ordinary slope, from the choice of the tokens it is
        the median of. It moves the effect by that share of 1 - effect, independently of the probes.
    """
    differences = (ordinary - slopes) / ordinary.mean()
    mean = float(differences.mean())
    error = float(np.hypot(_standard_error(differences), (1 - mean) * ordinary_error))
    half = _quantile(len(differences)) * error
    return Effect(mean, mean - half, mean + half, _p_above(mean - minimum, error, len(differences)))


def interval_of_mean(values: Float64Array) -> tuple[float, float]:
    """Return the ends of the 95 % t-interval of the mean of `values`."""
    half = _quantile(len(values)) * _standard_error(values)
    mean = float(values.mean())
    return mean - half, mean + half


def rank_correlation(ones: Sequence[float], others: Sequence[float]) -> float | None:
    """Return Spearman's coefficient of paired values, None where it has no meaning."""
    from scipy import stats

    if len(ones) <= 2:
        return None
    value = float(stats.spearmanr(ones, others).statistic)
    return None if np.isnan(value) else value


def _quantile(count: int) -> float:
    """Return half the width of the interval of a mean of `count` values, in standard errors."""
    from scipy import stats

    return float(stats.t.ppf(0.5 + COVERAGE / 2, count - 1))


def _standard_error(values: Float64Array) -> float:
    return float(values.std(ddof=1)) / float(np.sqrt(len(values)))


def _p_above(distance: float, error: float, count: int) -> float:
    """Return the one-sided p-value of a mean of `count` values that far above (Student's t)."""
    from scipy import stats

    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stats.t.sf(distance / error, count - 1))


def benjamini_hochberg(p_values: Float64Array, hypotheses: int | None = None) -> Float64Array:
    """Return the q-value of every p-value (Benjamini and Hochberg 1995).

    :param p_values: Shape `(k,)`.
    :param hypotheses: How many were there to begin with; those without a p-value count as 1.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    total = hypotheses if hypotheses is not None else len(p_values)
    if not len(p_values):
        return np.zeros(0)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * total / np.arange(1, len(p_values) + 1)
    # A hypothesis is rejected wherever one with a larger p-value is: minimum from the end.
    monotone = np.minimum.accumulate(scaled[::-1])[::-1]
    q_values = np.empty_like(monotone)
    q_values[order] = np.minimum(monotone, 1.0)
    return q_values
