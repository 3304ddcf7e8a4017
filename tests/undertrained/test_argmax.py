"""Rows past the vocabulary: cases in which the answer follows from the construction."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.argmax import past_vocabulary
from forensics.undertrained.rows import row_statistics


@pytest.fixture
def E():  # noqa: N802
    return np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)


def ask(E, vocabulary, bias=None):
    matrix = ArrayMatrix(E)
    return past_vocabulary(matrix, row_statistics(matrix), vocabulary, bias)


def test_no_row_past_the_vocabulary(E):
    found = ask(E, 60)
    assert (found.rows, found.can_win_argmax) == (0, False)


def test_a_row_that_stands_out_can_win_and_the_hidden_state_exists(E):
    E[55] = 0
    E[55, 3] = 50
    found = ask(E, 55)
    assert (found.rows, found.can_win_argmax) == (5, True)
    winner = int(found.explanation.split("row ")[1].split()[0])
    assert np.argmax(E @ E[winner]) == winner


def test_copies_of_rows_inside_cannot_win(E):
    E[50:] = E[3]
    assert ask(E, 50).can_win_argmax is False


def test_a_short_row_behind_a_longer_one_is_not_settled_by_this_argument(E):
    E[50:] = 0.5 * E[7]
    assert ask(E, 50).can_win_argmax is None


def test_zero_rows_are_not_settled(E):
    E[50:] = 0
    assert ask(E, 50).can_win_argmax is None


def test_a_bias_of_minus_infinity_excludes_them(E):
    bias = np.zeros(60, dtype=np.float32)
    bias[50:] = -np.inf
    assert ask(E, 50, bias).can_win_argmax is False
