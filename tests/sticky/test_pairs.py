import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sticky.pairs import spread_over_range


def test_pairs_are_nearest_to_equally_spaced_targets_below_u():
    similarities = np.linspace(0, 1, 101)
    # From 0 to 0.8 * 0.5 in five steps.
    assert spread_over_range(similarities, 0.5, 5, "x").tolist() == [0, 10, 20, 30, 40]


def test_a_pair_is_taken_once():
    chosen = spread_over_range(np.array([0.0, 0.01, 0.02, 0.4]), 0.5, 4, "x")
    assert sorted(chosen.tolist()) == [0, 1, 2, 3]


def test_too_few_pairs_below_u_are_said_with_both_numbers():
    with pytest.raises(BadInputError, match=r"pairs\.csv: 2 of 3 pairs .* 5 are needed"):
        spread_over_range(np.array([0.1, 0.2, 0.9]), 0.5, 5, "pairs.csv")
