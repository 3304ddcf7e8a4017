import mpmath
import numpy as np
import pytest
from scipy.stats import kstest, spearmanr, t

from forensics.comparison import independence
from forensics.comparison.independence import (
    columns_test,
    combine_layers,
    log10_p_of_correlation,
    matched_units,
    not_testable,
    units_robust_test,
    units_test,
)
from forensics.matrices import ArrayMatrix

D, N = 48, 400


def noisy(matrix, times, seed):
    rms = np.sqrt((matrix**2).mean())
    return matrix + times * rms * np.random.default_rng(seed).standard_normal(matrix.shape)


def embedding(seed=0):
    return np.random.default_rng(seed).standard_normal((N, D))


def of_columns(a, b):
    return columns_test(ArrayMatrix(a), ArrayMatrix(b), np.arange(len(a)), np.arange(len(b)))


@pytest.mark.parametrize("times", [0.1, 0.5, 1, 2])
def test_a_copy_with_noise_is_not_independent(times):
    # At this size no permutation is rarer than 1 in 48!, that is 10^-61.
    found = of_columns(embedding(), noisy(embedding(), times, 1))
    assert found.log10_p < -50 and found.exact
    assert found.verdict.startswith("not independent")
    layer = units_test(embedding(), noisy(embedding(), times, 1), layer=3)
    assert layer.log10_p < -50 and layer.layers == (3,)


def test_tokens_are_matched_by_their_ids():
    a = embedding()
    order = np.random.default_rng(1).permutation(N)
    found = columns_test(ArrayMatrix(a), ArrayMatrix(a[order]), order, np.arange(N))
    assert found.statistic == pytest.approx(1)


def test_what_evades_the_tests_is_no_evidence():
    a = embedding()
    random = np.random.default_rng(5)
    permuted = of_columns(a, a[:, random.permutation(D)])
    rotated = of_columns(a, a @ np.linalg.qr(random.standard_normal((D, D)))[0])
    assert permuted.log10_p > -2 and rotated.log10_p > -2
    assert permuted.verdict == rotated.verdict == "no evidence"


def test_robust_form_survives_permuted_units():
    gate, up = embedding(1), embedding(2)
    order = np.random.default_rng(3).permutation(N)
    found = units_robust_test((gate, noisy(gate, 0.5, 4)[order]), (up, noisy(up, 0.5, 5)[order]), layer=0)
    assert found.log10_p < -50 and not found.exact
    assert units_test(up, up[order], 0).log10_p > -2


def test_p_is_uniform_for_independent_matrices():
    random = np.random.default_rng(0)
    found = []
    for _ in range(200):
        a, b = random.standard_normal((2, 120, 40))
        found.append(10 ** of_columns(a, b).log10_p)
    assert kstest(found, "uniform").pvalue > 0.01
    layers = [units_test(*random.standard_normal((2, 40, 30)), layer) for layer in range(200)]
    assert kstest([10**one.log10_p for one in layers], "uniform").pvalue > 0.01
    combined = [10 ** combine_layers(layers[i : i + 4]).log10_p for i in range(0, 200, 4)]
    assert kstest(combined, "uniform").pvalue > 0.01


def test_different_widths_are_not_testable():
    a, b = np.zeros((50, 6)), np.zeros((50, 4))
    found = columns_test(ArrayMatrix(a), ArrayMatrix(b), range(50), range(50))
    assert found.verdict == "not testable (d 6 against 4)"
    assert found.statistic is None and found.log10_p is None
    assert units_test(a, b, 0).verdict == "not testable ((50, 6) against (50, 4))"
    assert (
        "5 shared tokens for 6 columns"
        in columns_test(ArrayMatrix(a), ArrayMatrix(a), range(5), range(5)).verdict
    )
    assert combine_layers([not_testable(found.test, "x")]).verdict == "not testable (x)"


@pytest.mark.parametrize("correlation", [-0.9, -0.1, 0, 0.05, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("count", [10, 60, 300])
def test_log_p_is_students(correlation, count):
    score = correlation * np.sqrt((count - 2) / (1 - correlation**2))
    direct = float(t.sf(score, count - 2))
    if direct > 1e-290:
        assert log10_p_of_correlation(correlation, count) == pytest.approx(np.log10(direct), abs=1e-6)


def test_log_p_where_double_precision_ends():
    # P(T > t) by arbitrary precision, 5000 pairs.
    rest = mpmath.mpf(1) - mpmath.mpf("0.95") ** 2
    exact = mpmath.log10(mpmath.betainc(2499, 0.5, 0, rest, regularized=True) / 2)
    assert log10_p_of_correlation(0.95, 5000) == pytest.approx(float(exact), rel=1e-9)
    assert log10_p_of_correlation(1.0, 5) == pytest.approx(-np.log10(120))
    assert log10_p_of_correlation(-1.0, 5) == 0


def test_pairing_and_statistic_by_hand():
    a = np.eye(10)
    order = np.random.default_rng(0).permutation(10)
    assert matched_units(a, a[order]).tolist() == np.argsort(order).tolist()
    found = units_test(a, a[order], 0)
    assert found.statistic == pytest.approx(spearmanr(np.arange(10), np.argsort(order)).statistic)


def test_column_correlations_read_in_blocks(monkeypatch):
    a, b = embedding(0), embedding(1)
    whole = of_columns(a, b)
    monkeypatch.setattr(independence, "BLOCK_ROWS", 37)
    assert of_columns(a, b) == whole
