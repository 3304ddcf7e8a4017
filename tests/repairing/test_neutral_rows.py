from __future__ import annotations

import numpy as np

from forensics.matrices import ArrayMatrix
from forensics.repairing.neutral_rows import mean_row, new_rows, row_norms

ARRAY = np.array([[1, 2], [3, 4], [np.nan, 0], [9, 9]], dtype=np.float32)
MATRIX = ArrayMatrix(ARRAY)


def test_the_mean_is_of_trained_rows_that_are_numbers():
    trained = np.array([True, True, True, False])
    assert mean_row(MATRIX, trained).tolist() == [2, 3]


def test_each_method_gives_its_rows_also_for_rows_that_are_new():
    mean = np.array([2, 3], dtype=np.float32)
    assert new_rows("zero", MATRIX, [1, 9], mean, {}).tolist() == [[0, 0], [0, 0]]
    assert new_rows("mean", MATRIX, [1, 9], mean, {}).tolist() == [[2, 3], [2, 3]]
    assert new_rows("parts", MATRIX, [3, 9], mean, {3: (0, 1, 1)}).tolist() == [
        [np.float32(7 / 3), np.float32(10 / 3)], [2, 3],
    ]  # fmt: skip


def test_norms_are_those_of_the_rows():
    assert row_norms(ArrayMatrix(ARRAY[[0, 3]])).tolist() == [np.sqrt(5), np.sqrt(162)]
