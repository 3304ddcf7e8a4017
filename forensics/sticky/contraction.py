"""Contraction: how much of the differences between similarities is left after a token was inserted.

For a probe `p` and every reference sentence `r`, `x = cos(p, r)` before and `y = cos(p', r)` after the
insertion. The slope of `y` on `x` is 1 where the token changes nothing and 0 where every similarity
becomes one value whatever the sentences mean; the line meets `y = x` at the fixed point, the value that
similarities are pulled to. Chen et al. 2025 describe the phenomenon (their equation 4 asks for falling
distances to the mean); the slope is this project's measure of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.sticky.interface import Encoder, Float32Array, Float64Array
from forensics.sticky.probes import Cell, ProbeSet

__all__ = ["Baseline", "TokenRegression", "cell_slopes", "measure_token"]


@dataclass(frozen=True, eq=False)
class TokenRegression:
    """What inserting one token does to every cell; arrays have one value per cell."""

    #: Least-squares slope of similarity after on similarity before.
    slope: Float64Array
    #: Mean similarity before.
    mean_before: Float64Array
    #: Mean similarity after.
    mean_after: Float64Array
    #: Variance after / variance before.
    variance_ratio: Float64Array
    #: Mean change of the pairs whose similarity was below `u`; NaN where there is none.
    shift_below: Float64Array
    #: The same at or above `u`.
    shift_above: Float64Array

    def to_json(self) -> list[list[float | None]]:
        """Return the six arrays as lists, NaN as None."""
        arrays = (
            self.slope,
            self.mean_before,
            self.mean_after,
            self.variance_ratio,
            self.shift_below,
            self.shift_above,
        )
        return [[None if np.isnan(v) else float(v) for v in array] for array in arrays]

    @staticmethod
    def from_json(arrays: Sequence[Sequence[float | None]]) -> TokenRegression:
        """Return what `to_json` wrote, digit for digit."""
        return TokenRegression(*(np.array([np.nan if v is None else v for v in array]) for array in arrays))


@dataclass(frozen=True, eq=False)
class Baseline:
    """Similarities before, prepared once for all tokens."""

    #: `(cells, n)` cosines before.
    before: Float64Array
    #: `(cells, n)`: which sentences a cell is compared with.
    mask: np.ndarray
    #: The same as 0 and 1, divided by the number of sentences: weights of a mean.
    weight: Float64Array
    #: `(cells, n)` deviations of `before` from its mean, 0 outside the mask.
    centred: Float64Array
    #: `(cells,)` mean square of `centred`.
    variance: Float64Array

    @staticmethod
    def of(probe_set: ProbeSet, cells: Sequence[Cell]) -> Baseline:
        """Prepare `cells` of `probe_set`."""
        before, mask = probe_set.before(cells), probe_set.others(cells)
        weight = mask / mask.sum(axis=1, keepdims=True)
        mean = (before * weight).sum(axis=1, keepdims=True)
        centred = np.where(mask, before - mean, 0.0)
        return Baseline(before, mask, weight, centred, (centred**2 * weight).sum(axis=1))


def cell_slopes(baseline: Baseline, after: Float64Array) -> Float64Array:
    """Return the slope of similarity after on similarity before, `(..., cells, n)` -> `(..., cells)`."""
    slopes: Float64Array = (after * baseline.centred * baseline.weight).sum(axis=-1) / baseline.variance
    return slopes


def measure_token(
    encoder: Encoder, probe_set: ProbeSet, baseline: Baseline, token_id: int, u: float
) -> TokenRegression:
    """Insert a token into every cell of the full measurement and compare.

    One call encodes the texts of one token only, so its numbers do not depend on other tokens.
    """
    vectors: Float32Array = encoder.embed(probe_set.modified(token_id, probe_set.cells))
    after = vectors.astype(np.float64) @ probe_set.references.T  # (cells, n)
    mean_after = (after * baseline.weight).sum(axis=1)
    spread = np.where(baseline.mask, after - mean_after[:, None], 0.0)
    change = after - baseline.before
    below, above = baseline.mask & (baseline.before < u), baseline.mask & (baseline.before >= u)
    return TokenRegression(
        slope=cell_slopes(baseline, after),
        mean_before=(baseline.before * baseline.weight).sum(axis=1),
        mean_after=mean_after,
        variance_ratio=(spread**2 * baseline.weight).sum(axis=1) / baseline.variance,
        shift_below=_mean_where(change, below),
        shift_above=_mean_where(change, above),
    )


def _mean_where(values: Float64Array, mask: np.ndarray) -> Float64Array:
    """Return the mean of each row over `mask`, NaN where it is empty."""
    count = mask.sum(axis=1)
    total = np.where(mask, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
