"""Ranks, the percent cut and the threshold that the data set themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forensics.undertrained.candidates import choose_candidates, data_driven_threshold, rank_rows

VALUES = hnp.arrays(np.float32, st.integers(1, 30), elements=st.sampled_from([0.0, 0.5, 1.0, np.nan, -2.0]))


@given(VALUES)
def test_ranks_are_a_permutation_in_ascending_order_with_gaps_last(values):
    ranks = rank_rows(values, np.full(len(values), "", dtype="<U4"))
    assert sorted(ranks) == list(range(1, len(values) + 1))
    ordered = values[np.argsort(ranks)]
    finite = ordered[~np.isnan(ordered)]
    assert (np.diff(finite) >= 0).all()
    assert np.isnan(ordered[len(finite) :]).all()


def test_broken_rows_rank_first_and_ties_go_to_the_smaller_id():
    values = np.array([0.5, 0.5, 0.1, np.nan, np.nan], dtype=np.float32)
    ranks = rank_rows(values, np.array(["", "", "", "zero", ""], dtype="<U4"))
    assert ranks.tolist() == [3, 4, 2, 1, 5]


def test_candidates_are_the_lowest_share_of_the_eligible_rounded_up():
    ranks = np.array([1, 2, 3, 4, 5, 6])
    eligible = np.array([False, True, True, True, True, True])
    assert choose_candidates(ranks, eligible, 40).tolist() == [1, 2]
    assert choose_candidates(ranks, eligible, 41).tolist() == [1, 2, 3]
    assert choose_candidates(ranks, eligible, 100).tolist() == [1, 2, 3, 4, 5]


def test_planted_low_values_are_set_apart():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.05, 0.01, 120), rng.normal(0.8, 0.1, 20_000)]).astype(np.float32)
    found = data_driven_threshold(values)
    # At a false-discovery level of one in five, 120 planted tokens bring 30 others along on average; the
    # number of those is Poisson, so 17 more are three standard deviations.
    assert 120 <= found.n_below <= 167
    assert found.threshold is not None
    assert 0.05 < found.threshold < 0.8 - 2.5 * 0.1


def test_nothing_is_set_apart_where_nothing_is_planted():
    """Normal and right-skewed values without a left tail of their own."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert data_driven_threshold(rng.normal(1, 0.1, 20_000).astype(np.float32)).n_below <= 8
        assert data_driven_threshold(rng.gamma(4, 1, 20_000).astype(np.float32)).threshold is None


def test_too_few_or_equal_values_give_a_reason():
    assert "too few" in data_driven_threshold(np.ones(10, dtype=np.float32)).explanation
    assert "equal" in data_driven_threshold(np.ones(1000, dtype=np.float32)).explanation
