"""Compiled loop: which pairs stand above the learned one, at every step.

Importing this module imports numba; the callers do so late.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["find_rivals"]


@numba.njit(cache=True)
def _open(following, step):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    # The first step from `step` on that is still open; the path to it is shortened on the way.
    last = step
    while following[last] != last:
        last = following[last]
    while following[step] != last:
        following[step], step = last, following[step]
    return last


@numba.njit(cache=True)
def find_rivals(order, value, start, stop, allowed, most, tolerance):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return which stretches are among the `most` highest above what is allowed at some step.

    :param order: Stretches by falling value, shape (R,).
    :param value: The count of every stretch, shape (E,).
    :param start: First step of every stretch, shape (E,).
    :param stop: Step after the last one, shape (E,).
    :param allowed: The highest count allowed at every step, shape (T,).
    :param most: Stretches to return per step at most.
    :param tolerance: Excess up to which a count passes.
    :return: Whether a stretch is one of them, shape (E,), and the worst excess at every step, shape (T,).
    """
    following = np.arange(len(allowed) + 1)
    taken = np.zeros(len(allowed), dtype=np.int64)
    excess = np.zeros(len(allowed))
    chosen = np.zeros(len(value), dtype=np.bool_)
    for stretch in order:
        step = _open(following, start[stretch])
        while step < stop[stretch]:
            above = value[stretch] - allowed[step]
            if taken[step] == 0 and above > 0:
                excess[step] = above
            if above > tolerance:
                chosen[stretch] = True
                taken[step] += 1
            # Stretches come by falling value: once one passes at a step, all later ones do.
            if above <= tolerance or taken[step] == most:
                following[step] = step + 1
            step = _open(following, step + 1)
    return chosen, excess
