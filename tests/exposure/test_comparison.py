from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.exposure.comparison import auroc, auroc_interval, permutation_p

numbers = st.lists(st.integers(-3, 3), min_size=1, max_size=8).map(lambda n: np.array(n, dtype=float))


@given(numbers, numbers)
def test_the_area_is_the_share_of_pairs(higher, lower):
    pairs = [(a > b) + (a == b) / 2 for a in higher for b in lower]
    assert auroc(higher, lower) == pytest.approx(np.mean(pairs))


def test_halves_of_one_corpus_give_small_p_as_often_as_chance():
    """200 halvings: p below .05 in 2 to 8 of a hundred."""
    scores = np.random.default_rng(7).gamma(2.0, size=60)
    small = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        order = rng.permutation(60)
        small += permutation_p(scores[order[:30]], scores[order[30:]], rng, 199) < 0.05
    assert 0.02 <= small / 200 <= 0.08


def test_a_difference_is_found_in_one_direction_only():
    rng = np.random.default_rng(0)
    one, other = rng.normal(2, 1, 40), rng.normal(0, 1, 40)
    assert permutation_p(one, other, rng, 999) == 1 / 1000
    assert permutation_p(other, one, rng, 999) > 0.99
    assert permutation_p(np.ones(5), np.ones(5), rng, 99) == 1
    low, high = auroc_interval(one, other, rng, 200)
    assert 0.5 < low < auroc(one, other) < high
