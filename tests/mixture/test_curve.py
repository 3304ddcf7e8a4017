"""The curve's fit finds planted mixtures."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.mixture.curve import fit_curve


def planted(alpha: np.ndarray, steps: int, noise: float, seed: int) -> np.ndarray:
    """Return counts of which the mixture `alpha` lies on a decreasing curve, up to noise."""
    generator = np.random.default_rng(seed)
    W = generator.gamma(0.3, size=(steps, len(alpha))) + 1e-3
    curve = 1 / (np.arange(steps) + 3.0)
    W *= (curve / (W @ alpha))[:, None]
    return W * np.exp(noise * generator.normal(size=W.shape))


def test_an_exact_mixture_is_found_exactly() -> None:
    alpha = np.array([0.6, 0.3, 0.1])
    fit = fit_curve(planted(alpha, 2000, 0.0, 0), np.empty((0, 3)))
    # The curve is piecewise linear between knots and the planted one is not: hence not to the last digit.
    assert np.abs(fit.alpha - alpha).max() < 5e-3
    assert np.all(np.diff(fit.curve) <= 1e-12)
    assert fit.alpha.sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_mixture_is_found_nearly(seed: int) -> None:
    alpha = np.random.default_rng(seed + 10).dirichlet(np.ones(6))
    fit = fit_curve(planted(alpha, 2000, 0.2, seed), np.empty((0, 6)))
    assert np.log10(np.mean((fit.alpha - alpha) ** 2)) < -3.5


@pytest.mark.parametrize("seed", range(3))
def test_a_category_whose_documents_differ_is_not_credited_with_too_little(seed: int) -> None:
    # The given text of one category is other documents than the tokenizer saw: its counts scatter around
    # those of training by a factor of e^0.8, with the same mean. A misfit relative to the curve alone,
    # sum |m - f| / f^0.5, gives 0.40 to 0.43 here.
    W = planted(np.array([0.5, 0.3, 0.2]), 2000, 0.0, seed)
    W[:, 0] *= np.exp(0.8 * np.random.default_rng(seed + 50).normal(size=len(W)) - 0.32)
    fit = fit_curve(W, np.empty((0, 3)))
    assert fit.alpha[0] == pytest.approx(0.5, abs=0.05)


def test_the_unit_of_the_counts_does_not_matter() -> None:
    W = planted(np.array([0.5, 0.5]), 500, 0.1, 1)
    assert np.allclose(
        fit_curve(W, np.empty((0, 2))).alpha, fit_curve(1e-6 * W, np.empty((0, 2))).alpha, atol=1e-6
    )


def test_left_over_pairs_above_the_curve_push_a_category_down() -> None:
    W = planted(np.array([0.5, 0.5]), 500, 0.1, 3)
    free = fit_curve(W, np.empty((0, 2))).alpha
    pushed = fit_curve(W, np.tile([[50 * W[-1].max(), 0.0]], (200, 1))).alpha
    assert pushed[0] < free[0]


def test_fewer_merges_than_categories_are_refused() -> None:
    with pytest.raises(BadInputError, match="1 merges occur in the text, for 2 categories"):
        fit_curve(np.ones((1, 2)), np.empty((0, 2)))
