from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.exposure.order import LEAST_LINES, cut_shards, rank_sum_p, shuffled_orders


@given(
    st.integers(1, 4).flatmap(
        lambda m: st.tuples(st.just(m), st.lists(st.integers(0, m), min_size=1, max_size=4))
    )
)
def test_p_is_the_share_of_all_ways(case):
    shuffles, ranks = case
    ways = [sum(way) for way in product(range(shuffles + 1), repeat=len(ranks))]
    assert rank_sum_p(ranks, shuffles) == pytest.approx(np.mean(np.array(ways) <= sum(ranks)))


def test_a_tiny_p_keeps_its_digits():
    assert rank_sum_p([0] * 50, 250) == pytest.approx(251.0**-50, rel=1e-9)
    assert rank_sum_p([250] * 50, 250) == pytest.approx(1)


@given(st.integers(LEAST_LINES, 90), st.integers(1, 20))
def test_shards_cover_all_lines_and_hold_at_least_so_many(lines, wanted):
    shards = cut_shards(lines, wanted)
    assert [at for each in shards for at in range(lines)[each]] == list(range(lines))
    assert min(each.stop - each.start for each in shards) >= LEAST_LINES and len(shards) <= wanted


def test_the_given_order_comes_first_and_the_others_are_orders():
    orders = shuffled_orders(5, 20, np.random.default_rng(0))
    assert orders[0].tolist() == [0, 1, 2, 3, 4]
    assert (np.sort(orders, axis=1) == np.arange(5)).all() and len(
        {tuple(row) for row in orders.tolist()}
    ) > 10
