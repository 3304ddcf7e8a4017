"""The published sticky score of a token and an exact upper bound of it from part of its distances."""

from __future__ import annotations

import numpy as np

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Float64Array

__all__ = ["MODE_WEIGHTS", "VALIDATION_WEIGHTS", "cell_score", "cell_upper_bound", "rising_steps"]

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


def cell_upper_bound(distances: Float64Array, bare: float, rounding: float = 0.0) -> float:
    """Return the most that `cell_score` can become, with NaN where a distance is not known yet.

    Falls minus rises is `d_0 - d_n`, so the score is `(R + D + 0.1 f + 0.1 b) / (R + 0.05 r + 0.01)` with
    the sum of rises `R`. It falls in `R` and in `r` as long as it is above 1, so the bound takes the least
    of both that the known distances allow: every known stretch that goes up holds at least one rise.

    :param rounding: How far a distance may be from the one that the score is computed from.
    """
    steps = rising_steps(distances, rounding)
    rise = float(steps.sum())
    # The last distance is at least that of two equal vectors; rounding can put it a little below 0.
    last = -1e-6 if np.isnan(distances[-1]) else float(distances[-1]) - rounding
    drop = float(distances[0]) - last
    falls = len(distances) - 1 - len(steps)
    above = rise + drop + _PER_FALL * falls + _PER_BARE * (bare + rounding)
    return max(1.0, above / (rise + _PER_RISE * len(steps) + _FLOOR))


def rising_steps(distances: Float64Array, rounding: float = 0.0) -> Float64Array:
    """Return the least height of every stretch between known distances that certainly goes up."""
    steps = np.diff(distances[~np.isnan(distances)]) - 2 * rounding
    rising: Float64Array = steps[steps > 0]
    return rising
