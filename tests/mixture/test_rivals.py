"""The search for the pairs above the learned one against a loop over all steps and stretches."""

from __future__ import annotations

import numpy as np
import pytest

from tests.extras import need

need("numba")

from forensics.mixture.rivals import find_rivals  # noqa: E402 - it needs numba as it is imported


def slow_rivals(
    value: list[float], spans: list[tuple[int, int]], allowed: list[float], most: int, tolerance: float
) -> tuple[list[bool], list[float]]:
    """Return what `find_rivals` does, step by step."""
    chosen, excess = [False] * len(value), []
    for step, limit in enumerate(allowed):
        there = [at for at, (start, stop) in enumerate(spans) if start <= step < stop]
        there.sort(key=lambda at: -value[at])
        for at in there[:most]:
            chosen[at] = chosen[at] or value[at] > limit + tolerance
        excess.append(max([0.0, *(value[at] - limit for at in there)]))
    return chosen, excess


@pytest.mark.parametrize(("seed", "most"), [(0, 1), (1, 2), (2, 3), (3, 10), (4, 1000)])
def test_rivals_are_those_of_a_loop(seed: int, most: int) -> None:
    generator = np.random.default_rng(seed)
    steps, count = 40, 120
    ends = np.sort(generator.integers(0, steps + 1, (count, 2)), axis=1)
    ends = ends[ends[:, 0] < ends[:, 1]]
    # Distinct values, so that which of equals is taken does not matter.
    value = generator.permutation(len(ends)) / 10
    allowed = generator.uniform(0, value.max(), steps)
    order = np.argsort(-value)
    chosen, excess = find_rivals(order, value, ends[:, 0].copy(), ends[:, 1].copy(), allowed, most, 1e-6)
    spans = [(int(a), int(b)) for a, b in ends]
    expected = slow_rivals(value.tolist(), spans, allowed.tolist(), most, 1e-6)
    assert chosen.tolist() == expected[0]
    assert excess.tolist() == pytest.approx(expected[1])
    assert chosen.any()
    assert not chosen.all()
