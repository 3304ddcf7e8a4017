"""Kept matrices give the numbers of the matrix behind them, and ask for every row once."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix, KeptMatrix, blocks, centred_blocks, keep_within


class Counted(ArrayMatrix):
    """An array that counts how often each row is decoded."""

    def __init__(self, array):
        super().__init__(array)
        object.__setattr__(self, "asked", np.zeros(len(array), dtype=int))

    def rows(self, start, stop):
        self.asked[start:stop] += 1
        return super().rows(start, stop)

    def gather(self, ids):
        self.asked[np.asarray(ids)] += 1
        return super().gather(ids)


@pytest.fixture
def matrix():
    return Counted(np.random.default_rng(0).standard_normal((50, 3), dtype=np.float32))


def test_a_kept_matrix_decodes_every_row_once(matrix):
    kept = KeptMatrix(matrix)
    assert np.array_equal(kept.gather([7, 3, 7]), matrix.array[[7, 3, 7]])
    assert np.array_equal(kept.rows(40, 99), matrix.array[40:])
    assert np.array_equal(kept.gather(np.arange(50)), matrix.array)
    assert np.array_equal(kept.gather([1, 49]), matrix.array[[1, 49]])
    assert kept.gather([]).shape == (0, 3)
    assert matrix.asked.tolist() == [1] * 50
    assert np.array_equal(kept.stored_rows(2, 4), matrix.stored_rows(2, 4))


def test_what_is_kept_cannot_be_written_to(matrix):
    with pytest.raises(ValueError, match="read-only"):
        KeptMatrix(matrix).rows(0, 5)[0, 0] = 1


def test_an_id_that_is_no_row_is_refused(matrix):
    with pytest.raises(IndexError):
        KeptMatrix(matrix).gather([50])


def test_matrices_are_kept_in_order_as_far_as_the_budget_goes():
    first, second, third = (_StoredLike(np.ones((n, 4), dtype=np.float32)) for n in (10, 10, 3))
    kept = keep_within(4 * 4 * 13, first, second, third, first)
    assert [isinstance(m, KeptMatrix) for m in kept] == [True, False, True, True]
    assert kept[0] is kept[3]
    assert kept[1] is second


class _StoredLike:
    def __init__(self, array):
        self._inner = ArrayMatrix(array)
        self.shape, self.dtype = array.shape, "F32"
        self.rows, self.gather = self._inner.rows, self._inner.gather
        self.stored_rows = self._inner.stored_rows


def test_centred_blocks_leave_the_matrix_as_it_is(matrix):
    mean = matrix.array.mean(axis=0)
    parts = [centred.copy() for _, _, centred in centred_blocks(matrix, mean)]
    assert np.array_equal(np.concatenate(parts), matrix.array - mean)
    assert np.array_equal(np.concatenate([block for _, block in blocks(matrix)]), matrix.array)
