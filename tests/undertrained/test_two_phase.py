"""The two-phase estimate, against exact distributions and planted shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from forensics.errors import BadInputError
from forensics.undertrained.two_phase import TwoPhase, hypergeometric_total, missed_upper, two_phase_total


def findings(**changes):
    plain = {
        "method": "two-phase",
        "rest": 1000,
        "sampled": 100,
        "hits": (1, 2),
        "counted": (7, 8, 9),
        "probed": 100,
        "open_after": (5, 3),
        "missed_above_threshold_upper": None,
        "checked_above_threshold": 0,
    }
    return TwoPhase(**{**plain, **changes})


@given(st.integers(2, 40), st.data())
def test_hypergeometric_limits_are_the_numbers_that_neither_tail_excludes(rest, data):
    sampled = data.draw(st.integers(1, rest))
    hits = data.draw(st.integers(0, sampled))
    exact_tail = 0.025 * (1 - 1e-9)  # ties, which floats would decide by their last digit, count
    allowed = [
        marked
        for marked in range(hits, rest - sampled + hits + 1)
        if hypergeom.sf(hits - 1, rest, marked, sampled) >= exact_tail
        and hypergeom.cdf(hits, rest, marked, sampled) >= exact_tail
    ]
    assert hypergeometric_total(hits, sampled, rest) == (min(allowed), max(allowed))


def test_a_census_leaves_no_doubt():
    total = two_phase_total(18, 24, 500, 500)
    assert (total.value, total.low, total.high) == (42, 42, 42)


def test_without_a_sample_anything_is_possible():
    total = two_phase_total(18, 0, 0, 500)
    assert (total.low, total.high) == (18, 518)


def test_contradicting_numbers_are_refused():
    with pytest.raises(BadInputError, match="hits"):
        two_phase_total(0, 3, 2, 10)


@pytest.mark.parametrize("share", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("sampled", [2000, 8000])
def test_the_interval_covers_planted_shares(share, sampled):
    rest, repeats = 48_000, 2000
    marked = round(share * rest)
    rng = np.random.default_rng(0)
    draws = rng.hypergeometric(marked, rest - marked, sampled, size=repeats)
    limits = {int(k): two_phase_total(0, int(k), sampled, rest) for k in np.unique(draws)}
    covered = np.mean([limits[int(k)].low <= marked <= limits[int(k)].high for k in draws])
    assert covered >= 0.93
    assert np.mean([limits[int(k)].value for k in draws]) == pytest.approx(marked, rel=0.1)


def test_cleared_tokens_are_left_out_on_both_sides():
    all_of_them, left = findings().total(), findings().total(without={2, 7})
    assert all_of_them.value == 3 + 2 * 10
    assert left.value == 2 + 1 * 10
    assert left.high < all_of_them.high


def test_recall_is_the_counted_share_of_the_total():
    recall, total = findings().recall(), findings().total()
    assert recall.value == pytest.approx(3 / total.value)
    assert (recall.low, recall.high) == pytest.approx((3 / total.high, 3 / total.low))
    nothing = findings(hits=(), counted=(), sampled=1000)
    assert math.isnan(nothing.recall().value)


def test_the_bound_on_what_probes_hide_is_the_rule_of_three():
    assert missed_upper(0, 0, 1000) is None
    assert missed_upper(0, 1000, 1000) == pytest.approx(3.0, abs=0.02)
