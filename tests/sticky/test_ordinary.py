import numpy as np
import pytest

from forensics.sticky.contraction import TokenRegression
from forensics.sticky.ordinary import LEAST_EFFECT, describe_ordinary, least_effect, robust_spread


def lines(slopes):
    """Three modes a probe with these mean slopes."""
    each = np.repeat(slopes, 3) + np.tile([-0.1, 0.0, 0.1], len(slopes))
    return TokenRegression(each, *(np.zeros(len(each)) for _ in range(5)))


@pytest.mark.parametrize(("size", "seed"), [(20, 0), (21, 1), (64, 2), (500, 3)])
def test_spread_of_a_normal_sample_is_its_deviation_on_average(size, seed):
    rng = np.random.default_rng(seed)
    found = [robust_spread(rng.normal(3, 0.4, size)) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.4, rel=0.04)


def test_spread_is_not_moved_by_a_few_outliers():
    values = np.random.default_rng(0).normal(0, 0.1, 60)
    with_outliers = np.concatenate([values, [50, 60, -70, 90]])
    assert robust_spread(with_outliers) < 1.25 * robust_spread(values)


def test_spread_is_the_lower_quartile_of_all_distances():
    values = np.array([0.0, 1.0, 3.0, 7.0, 8.0])
    distances = sorted(abs(a - b) for k, a in enumerate(values) for b in values[:k])
    # h = 5 // 2 + 1 = 3, so the third smallest of ten; 5 / 6.4 corrects for five values.
    assert robust_spread(values) == pytest.approx(2.2219 * distances[2] * 5 / 6.4)


def test_ordinary_is_the_median_probe_by_probe_and_its_error_that_of_the_choice_of_tokens():
    rng = np.random.default_rng(1)
    slopes = 0.8 + 0.08 * rng.normal(size=(400, 1)) + 0.02 * rng.normal(size=(400, 16))
    found = describe_ordinary({i: lines(row) for i, row in enumerate(slopes)}, [0])
    np.testing.assert_allclose(found.slopes, np.median(slopes, axis=0))
    np.testing.assert_allclose(found.effects, 1 - slopes.mean(axis=1) / np.median(slopes, axis=0).mean())
    # The median of n normal values has a standard error of 1.2533 sd / sqrt(n); that of one sample is itself
    # estimated from its own middle, with a standard error of about 20 %.
    errors = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        drawn = 0.8 + 0.08 * rng.normal(size=(64, 1)) + 0.02 * rng.normal(size=(64, 16))
        errors.append(describe_ordinary(dict(enumerate(map(lines, drawn))), [0]).error)
    assert np.mean(errors) == pytest.approx(1.2533 * 0.08 / np.sqrt(64) / 0.8, rel=0.15)


def test_least_effect_is_never_below_what_a_user_notices():
    assert least_effect(0.0) == LEAST_EFFECT
    assert least_effect(0.2) == pytest.approx(0.6)
