"""Does the density around a row change the way no fiber bundle allows? With an exact null.

Robinson, Dey and Chiang 2025 (arXiv 2504.01002): in a manifold the number of points within r grows as r^d, so
the slope of log count against log radius is the local dimension, and in a fiber bundle it may only fall as r
grows. A change of slope is sought by Welch's t-test between two stretches of the slope. Followed here: slopes
by numerical gradient between the 20th and the 149th neighbour, stretches of 10.

Departures. The authors take the first window below a fixed level and correct for three strata; here the
smallest p over all windows is compared with its exact null, so that the column is a p-value. Under locally
uniform density log r_k = log(E_1 + .. + E_k) / d with exponential E_i, and Welch's t does not change with
scale, so d cancels: one simulated table serves every model. The authors' own threshold rejects about 4 % of
tokens on that null.

It answers "does density change here", whose sign for untrained rows differs between models (AUC .86, .11 and
.40 on three): a column, never a verdict.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["NEIGHBOURS_NEEDED", "fiber_p"]

#: First and last neighbour used, and length of the compared stretches.
_FIRST, _LAST, _STRETCH = 20, 150, 10
#: Neighbours that `fiber_p` wants of each row, itself left out.
NEIGHBOURS_NEEDED = _LAST - 1
#: Simulated tokens of the null table, and the seed of its simulation: fixed, because the table is a constant.
_SIMULATED, _NULL_SEED = 10_000, 1
#: Rows tested at a time; the windows take some 10 kB each.
_CHUNK = 2000


def fiber_p(distances: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the probability of so sharp a change of slope under locally uniform density, shape (n,).

    :param distances: Distances of each row to its neighbours, ascending, itself left out, shape (n, k) with k
        at least `NEIGHBOURS_NEEDED`. Rows with a distance of zero among those used give NaN.
    :raises ValueError: If there are fewer neighbours.
    """
    if distances.shape[1] < NEIGHBOURS_NEEDED:
        raise ValueError(f"{NEIGHBOURS_NEEDED} neighbours are needed, found {distances.shape[1]}")
    smallest = _smallest_p(np.asarray(distances, dtype=np.float64))
    null = _null_table()
    p = (1 + np.searchsorted(null, smallest, side="right")) / (1 + len(null))
    return np.where(np.isnan(smallest), np.nan, p)


@lru_cache(maxsize=1)
def _null_table() -> npt.NDArray[np.float64]:
    """Return the sorted smallest p-values of simulated rows."""
    rng = np.random.default_rng(_NULL_SEED)
    radii = np.cumsum(rng.exponential(size=(_SIMULATED, NEIGHBOURS_NEEDED)), axis=1)
    return np.sort(_smallest_p(radii))


def _smallest_p(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the smallest p of Welch's t-test over all windows, shape (n,)."""
    parts = [_smallest_p_of(distances[start : start + _CHUNK]) for start in range(0, len(distances), _CHUNK)]
    return np.concatenate([np.empty(0), *parts])


def _smallest_p_of(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    from scipy.stats import t

    # Columns are neighbours 1, 2, ..: the k-th neighbour has k points within its radius, the row left out.
    counts = np.log(np.arange(_FIRST, _LAST))
    with np.errstate(divide="ignore", invalid="ignore"):
        radii = np.log(distances[:, _FIRST - 1 : _LAST - 1])
        slopes = np.gradient(counts)[None] / np.gradient(radii, axis=1)  # (n, _LAST - _FIRST)
    windows = np.lib.stride_tricks.sliding_window_view(slopes, _STRETCH, axis=1)
    mean, variance = windows.mean(axis=2), windows.var(axis=2, ddof=1) / _STRETCH
    places = np.arange(2 * _STRETCH, slopes.shape[1] - 2 * _STRETCH)
    before, after = places - 2 * _STRETCH, places + _STRETCH
    with np.errstate(divide="ignore", invalid="ignore"):
        total = variance[:, before] + variance[:, after]
        statistic = (mean[:, after] - mean[:, before]) / np.sqrt(total)
        freedom = total**2 * (_STRETCH - 1) / (variance[:, before] ** 2 + variance[:, after] ** 2)
    p = 2 * t.sf(np.abs(statistic), freedom)
    p[~np.isfinite(p)] = 1.0
    smallest = p.min(axis=1)
    broken = ~np.isfinite(radii).all(axis=1)
    smallest[broken] = np.nan
    return np.asarray(smallest, dtype=np.float64)
