import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sticky.published_score import cell_score, cell_upper_bounds, known_rises

#: Few distinct values, so that level steps and ties occur.
distances = st.lists(st.integers(0, 12).map(lambda n: n / 10), min_size=9, max_size=9).map(np.array)


def cell_upper_bound(values, bare, rounding=0.0):
    return cell_upper_bounds(values[None], np.array([bare]), rounding)[0]


def test_score_worked_by_hand():
    # Falls 0.3 and 0.2, rise 0.1: (0.5 + 0.2 + 0.1 * 0.9) / (0.1 + 0.05 + 0.01).
    assert cell_score(np.array([1.0, 0.7, 0.8, 0.6]), 0.9) == pytest.approx(0.79 / 0.16)


def test_level_steps_are_neither_fall_nor_rise():
    assert cell_score(np.array([0.5, 0.5, 0.5]), 1.0) == pytest.approx(0.1 / 0.01)


@given(distances, st.floats(0, 1.5), st.sets(st.integers(1, 8)))
def test_bound_is_never_below_the_score_whatever_is_known(values, bare, known):
    partly = np.full(9, np.nan)
    partly[[0, *known]] = values[[0, *known]]
    assert cell_upper_bound(partly, bare) >= cell_score(values, bare) - 1e-9


@given(distances, st.floats(0, 1.5), st.sets(st.integers(1, 8)), st.integers(0, 2**9 - 1))
def test_bound_holds_where_distances_are_rounded(values, bare, known, signs):
    rounding = 0.03
    moved = values + rounding * np.array([1 if signs >> k & 1 else -1 for k in range(9)])
    moved[0] = values[0]  # the untouched pair is encoded once
    partly = np.full(9, np.nan)
    partly[[0, *known]] = moved[[0, *known]]
    assert cell_upper_bound(partly, bare, rounding) >= cell_score(values, bare) - 1e-9


@given(distances.filter(lambda values: (np.diff(values) != 0).all()), st.floats(0, 1.5))
def test_bound_falls_to_the_score_when_everything_is_known(values, bare):
    assert cell_upper_bound(values, bare) == pytest.approx(max(1.0, cell_score(values, bare)))


def test_rises_are_known_between_known_distances():
    values = np.array([[0.5, np.nan, 0.7, 0.6], [0.5, 0.4, np.nan, np.nan], [0.5, 0.5, np.nan, 0.55]])
    expected = np.array([[0, 0.2, 0], [0, 0, 0], [0, 0, 0.05]])
    assert known_rises(values) == pytest.approx(expected)
    assert known_rises(values, 0.03) == pytest.approx(np.array([[0, 0.14, 0], [0, 0, 0], [0, 0, 0]]))
    assert np.isnan(values).sum() == 4  # what is given stays as it is


def test_bounds_of_many_cells_are_those_of_each():
    rng = np.random.default_rng(0)
    values, bare = rng.uniform(0, 1.2, (50, 9)), rng.uniform(0, 1.5, 50)
    values[:, 1:][rng.random((50, 8)) < 0.5] = np.nan
    singly = [cell_upper_bound(row, b, 0.01) for row, b in zip(values, bare, strict=True)]
    assert cell_upper_bounds(values, bare, 0.01).tolist() == singly
