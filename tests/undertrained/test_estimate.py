"""Intervals are checked by what they promise: how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.undertrained.estimate import Stratum, clopper_pearson, estimate_total


def test_clopper_pearson_agrees_with_published_values():
    # "Rule of three" and the exact interval of 1 in 10 (Clopper and Pearson 1934).
    assert clopper_pearson(0, 100).high == pytest.approx(0.0362, abs=1e-4)
    one_in_ten = clopper_pearson(1, 10)
    assert (one_in_ten.low, one_in_ten.high) == pytest.approx((0.0025, 0.4450), abs=1e-4)
    assert clopper_pearson(0, 0).high == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(0, 300)), max_size=5),
    st.integers(0, 99),
)
def test_the_interval_holds_the_value_and_stays_possible(parts, counted):
    strata = [Stratum(tested + rest, tested, min(verified, tested)) for tested, verified, rest in parts]
    found = estimate_total(counted, strata)
    least = counted + sum(s.verified for s in strata)
    most = least + sum(s.size - s.tested for s in strata)
    assert least - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value <= found.high + 1e-9
    assert found.high <= counted + sum(s.size for s in strata)
    assert found.value <= most + 1e-9


def test_a_rest_that_was_tested_completely_leaves_no_doubt():
    found = estimate_total(7, [Stratum(20, 20, 3), Stratum(5, 5, 0)])
    assert (found.value, found.low, found.high) == (10, 10, 10)


@pytest.mark.parametrize(
    "shares",
    [
        (0.0, 0.0),
        (0.02, 0.005),
        (0.3, 0.02),
        (0.9, 0.5),
        (0.02, 0.02),
    ],
)
def test_the_interval_covers_the_truth_nineteen_times_in_twenty(shares):
    sizes, samples = (6000, 42000), (60, 240)
    truth = [round(size * share) for size, share in zip(sizes, shares, strict=True)]
    rng = np.random.default_rng(11)
    repeats, held, values = 1000, 0, []
    for _ in range(repeats):
        strata = [
            Stratum(size, sample, int(rng.hypergeometric(good, size - good, sample)))
            for size, good, sample in zip(sizes, truth, samples, strict=True)
        ]
        found = estimate_total(100, strata)
        held += found.low - 1e-9 <= 100 + sum(truth) <= found.high + 1e-9
        values.append(found.value)
    # 95 % less two standard errors of the simulation itself.
    assert held / repeats >= 0.95 - 2 * (0.95 * 0.05 / repeats) ** 0.5
    assert np.mean(values) == pytest.approx(100 + sum(truth), rel=0.05, abs=20)


def test_refuses_impossible_samples():
    with pytest.raises(BadInputError):
        estimate_total(0, [Stratum(5, 6, 1)])
    with pytest.raises(BadInputError):
        clopper_pearson(3, 2)
