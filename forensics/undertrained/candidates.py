"""Rank the tokens, cut the candidates, and say where the data themselves would cut.

The source (Land and Bartolo 2024, section 3.3) verifies the lowest 2 % by the indicator among tokens
of category `ok`. A fixed share says nothing about how many tokens are under-trained, so beside it stands
a threshold from the values themselves: Efron's empirical null (2004, JASA 99:96, section 4). The body of
the distribution is taken as what trained tokens look like; the threshold is the largest value at which
at most one token in five below it would be expected from that body alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["DataDrivenThreshold", "choose_candidates", "data_driven_threshold", "rank_rows"]

#: Share of expected trained tokens below the threshold: Efron's customary false-discovery level.
_FALSE_DISCOVERY = 0.2
#: Fewest tokens below a threshold worth stating.
_LEAST_BELOW = 5
#: Quantile of the standard normal one standard deviation below its median.
_ONE_SD_BELOW = 0.158655


@dataclass(frozen=True)
class DataDrivenThreshold:
    """Where the values of the indicator set the untrained apart from the rest."""

    #: Tokens at or below it are set apart; None where the tail is no thicker than the body explains.
    threshold: float | None
    #: Tokens at or below the threshold.
    n_below: int
    #: What was done, with numbers, in one sentence.
    explanation: str
    #: Name of the method.
    method: str = "empirical null"


def rank_rows(values: npt.NDArray[np.float32], problems: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Return the rank of every row, 1 = most suspicious, shape `(V,)`.

    Broken rows (NaN, Inf, zero) come first in the order of their ids, then ascending values; rows
    without a value come last. Ties go to the smaller id.

    :param values: The chosen indicator, shape `(V,)`, low = suspicious.
    :param problems: `RowStatistics.problems` of the same matrix.
    """
    V = len(values)
    keys = np.where(problems != "", -np.inf, np.where(np.isnan(values), np.inf, values.astype(np.float64)))
    order = np.lexsort((np.arange(V), keys))
    ranks = np.empty(V, dtype=np.int64)
    ranks[order] = np.arange(1, V + 1)
    return ranks


def choose_candidates(
    ranks: npt.NDArray[np.int64], eligible: npt.NDArray[np.bool_], percent: float
) -> npt.NDArray[np.int64]:
    """Return the ids of the lowest `percent` of the eligible tokens, most suspicious first.

    :param ranks: Ranks from `rank_rows`, shape `(V,)`.
    :param eligible: Tokens that count, shape `(V,)`.
    :param percent: Share of the eligible tokens, in percent, rounded up to whole tokens.
    """
    ids = np.flatnonzero(eligible)
    wanted = int(np.ceil(len(ids) * percent / 100 - 1e-9))
    return ids[np.argsort(ranks[ids], kind="stable")][:wanted]


def data_driven_threshold(values: npt.NDArray[np.float32]) -> DataDrivenThreshold:
    """Return the value below which the left tail is thicker than the body of `values` explains.

    The body is a normal distribution about the median whose standard deviation is the distance from
    the median to the 15.87 % quantile: only the side toward the suspicious end is used, so a skew to
    the right does no harm.

    :param values: Indicator values of the eligible tokens, NaN left out by the caller or not.
    """
    from scipy.special import ndtr  # scipy.stats would take a second to import

    finite = np.sort(values[np.isfinite(values)].astype(np.float64))
    n = len(finite)
    if n < 100:
        return DataDrivenThreshold(None, 0, f"Only {n} values: too few to tell a tail from the body.")
    centre = float(np.median(finite))
    sd = centre - float(np.quantile(finite, _ONE_SD_BELOW))
    body = f"the body of the distribution (median {centre:.4g}, standard deviation {sd:.4g})"
    if sd <= 0:
        return DataDrivenThreshold(None, 0, f"More than a third of the values are equal; {body} is a point.")
    observed = np.searchsorted(finite, finite, side="right")
    expected = n * ndtr((finite - centre) / sd)
    below = (expected <= _FALSE_DISCOVERY * observed) & (observed >= _LEAST_BELOW) & (finite < centre)
    if not below.any():
        return DataDrivenThreshold(None, 0, f"The tail is no thicker than expected from {body}.")
    last = int(np.flatnonzero(below)[-1])
    count = int(observed[last])
    return DataDrivenThreshold(
        float(finite[last]),
        count,
        f"{count} tokens lie at or below {finite[last]:.4g}, where {expected[last]:.1f} are expected "
        f"from {body}.",
    )
