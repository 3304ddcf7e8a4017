"""The indicator is chosen by how it separates held-out references."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.undertrained.indicator_choice import area_under_curve, choose_indicator

HIGH = np.linspace(1, 2, 50, dtype=np.float32)
LOW = np.linspace(0, 0.5, 10, dtype=np.float32)
NUMBERS = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@given(NUMBERS, NUMBERS)
def test_area_equals_counting_pairs(low, high):
    pairs = [(a < b) + (a == b) / 2 for a in low for b in high]
    found = area_under_curve(np.array(low, dtype=float), np.array(high, dtype=float))
    assert found == pytest.approx(np.mean(pairs))


def test_preference_decides_between_equals():
    ordinary = {"ein_l2_norm": HIGH, "eout_cosine_centered": HIGH}
    assert (
        choose_indicator({"ein_l2_norm": LOW, "eout_cosine_centered": LOW}, ordinary).name
        == "eout_cosine_centered"
    )


def test_separation_beats_preference_and_the_reason_has_the_numbers():
    ordinary = {"ein_l2_norm": HIGH, "eout_cosine_centered": HIGH}
    choice = choose_indicator({"ein_l2_norm": LOW, "eout_cosine_centered": HIGH[:10]}, ordinary)
    assert choice.name == "ein_l2_norm"
    assert "1.000" in choice.why
    assert "eout_cosine_centered" in choice.why


def test_without_references_the_first_preference_is_taken_and_said():
    choice = choose_indicator({}, {"ein_l2_norm": HIGH})
    assert choice.name == "ein_l2_norm"
    assert "too few" in choice.why
    assert choice.separation == {}


def test_no_indicator_is_an_error():
    with pytest.raises(ValueError, match="no indicator"):
        choose_indicator({}, {})
