import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forensics.sticky.statistics import benjamini_hochberg, estimate_effect, interval_of_mean

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@given(p_values)
def test_q_values_are_those_of_scipy(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(p_values, st.integers(0, 20))
def test_untested_hypotheses_count_as_p_of_one(p, more):
    padded = stats.false_discovery_control(np.concatenate([p, np.ones(more)]))
    assert benjamini_hochberg(p, len(p) + more) == pytest.approx(padded[: len(p)])


def test_effect_is_one_minus_the_ratio_of_slopes_and_its_interval_is_students():
    slopes, ordinary = np.array([0.4, 0.5, 0.6, 0.3]), np.array([0.8, 0.7, 0.9, 0.8])
    found = estimate_effect(slopes, ordinary, 0.1)
    assert found.effect == pytest.approx(1 - 1.8 / 3.2)
    differences = (ordinary - slopes) / 0.8
    expected = stats.t.interval(0.95, 3, differences.mean(), stats.sem(differences))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.p_value == pytest.approx(stats.ttest_1samp(differences, 0.1, alternative="greater").pvalue)


def test_what_another_sample_of_ordinary_tokens_would_change_widens_the_interval():
    # A world in which the ordinary slope is known up to 5 %: intervals must hold the true effect anyway.
    rng = np.random.default_rng(0)
    held = {0.0: 0, 0.05: 0}
    for _ in range(2000):
        slopes = rng.normal(0.4, 0.05, 16)
        ordinary = np.full(16, 0.8 * (1 + rng.normal(0, 0.05)))
        for error in held:
            found = estimate_effect(slopes, ordinary, 0.25, error)
            held[error] += found.low <= 0.5 <= found.high
    assert held[0.05] / 2000 == pytest.approx(0.95, abs=0.02)
    assert held[0.0] < 0.85 * 2000


def test_effect_without_spread_is_certain_either_way():
    half, one = np.full(4, 0.5), np.ones(4)
    assert estimate_effect(half, one, 0.25).p_value == 0
    assert estimate_effect(half, one, 0.5).p_value == 1


def test_interval_of_mean_contains_the_mean():
    low, high = interval_of_mean(np.array([1.0, 2.0, 4.0]))
    assert low < 7 / 3 < high
