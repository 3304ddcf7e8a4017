"""The published sticky score of a token and exact upper bounds of it from part of its distances."""

from __future__ import annotations

import numpy as np

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Float64Array

__all__ = ["MODE_WEIGHTS", "VALIDATION_WEIGHTS", "cell_score", "cell_upper_bounds", "known_rises"]

#: Weights of the modes in the score (the authors' program).
MODE_WEIGHTS = {Mode.PREFIX: 0.35, Mode.SUFFIX: 0.35, Mode.INSERTION: 0.3}
#: Weights of the modes in the validation.
VALIDATION_WEIGHTS = {Mode.PREFIX: 4 / 11, Mode.SUFFIX: 4 / 11, Mode.INSERTION: 3 / 11}
_PER_FALL, _PER_RISE, _PER_BARE, _FLOOR = 0.1, 0.05, 0.1, 0.01


def cell_score(distances: Float64Array, bare: float) -> float:
    """Return the score of one pair and mode from its distances `d_0 .. d_n`.

    :param distances: 1 - cosine of sentence 1 and sentence 2 with 0 to n copies.
    :param bare: 1 - cosine of sentence 1 and the token alone.
    """
    steps = np.diff(distances)
    falls, rises = -steps[steps < 0], steps[steps > 0]
    above = float(falls.sum()) + _PER_FALL * len(falls) + _PER_BARE * bare
    return above / (float(rises.sum()) + _PER_RISE * len(rises) + _FLOOR)


def cell_upper_bounds(distances: Float64Array, bare: Float64Array, rounding: float = 0.0) -> Float64Array:
    """Return the most that the `cell_score` of each of n cells can become.

    Falls minus rises is `d_0 - d_n`, so the score is `(R + D + 0.1 f + 0.1 b) / (R + 0.05 r + 0.01)` with
    the sum of rises `R`. It falls in `R` and in `r` as long as it is above 1, so the bound takes the least
    of both that the known distances allow: every known stretch that goes up holds at least one rise.

    :param distances: `(n, copies + 1)`, NaN where a distance is not known yet.
    :param bare: `(n,)`.
    :param rounding: How far a distance may be from the one that the score is computed from.
    """
    heights = known_rises(distances, rounding)
    rise, rises = heights.sum(axis=1), (heights > 0).sum(axis=1)
    # The last distance is at least that of two equal vectors; rounding can put it a little below 0.
    last = np.where(np.isnan(distances[:, -1]), -1e-6, distances[:, -1] - rounding)
    falls = heights.shape[1] - rises
    above = rise + distances[:, 0] - last + _PER_FALL * falls + _PER_BARE * (bare + rounding)
    bounds: Float64Array = np.maximum(1.0, above / (rise + _PER_RISE * rises + _FLOOR))
    return bounds


def known_rises(distances: Float64Array, rounding: float = 0.0) -> Float64Array:
    """Return by how much each of n cells certainly goes up from one known distance to the next.

    :param distances: `(n, copies + 1)`, NaN where a distance is not known yet.
    :returns: `(n, copies)`, at the later of the two distances; 0 where nothing is known to rise.
    """
    known = distances.copy()
    for i in range(1, known.shape[1]):
        known[:, i] = np.where(np.isnan(known[:, i]), known[:, i - 1], known[:, i])
    heights: Float64Array = np.maximum(np.diff(known, axis=1) - 2 * rounding, 0)
    return heights
