"""Statistics of rows against a plain computation, and rows that are broken."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forensics.matrices import ArrayMatrix
from forensics.undertrained.rows import hash_rows, row_statistics


def test_norms_and_mean_equal_a_plain_computation():
    E = np.random.default_rng(0).standard_normal((500, 24), dtype=np.float32)
    statistics = row_statistics(ArrayMatrix(E))
    np.testing.assert_allclose(statistics.norms, np.linalg.norm(E, axis=1), rtol=1e-6)
    np.testing.assert_allclose(statistics.mean_row, E.mean(axis=0), atol=1e-6)
    assert statistics.usable.all()
    assert statistics.problem_counts() == {}


def test_broken_rows_are_named_and_left_out_of_the_mean():
    E = np.ones((6, 4), dtype=np.float32)
    E[1, 2], E[2, 0], E[3], E[4] = np.nan, np.inf, 0, 3
    statistics = row_statistics(ArrayMatrix(E))
    assert statistics.problems.tolist() == ["", "nan", "inf", "zero", "", ""]
    assert statistics.problem_counts() == {"nan": 1, "inf": 1, "zero": 1}
    np.testing.assert_allclose(statistics.mean_row, np.full(4, (1 + 0 + 3 + 1) / 4))


def test_a_row_too_large_to_reckon_with_counts_as_infinite_and_not_in_the_mean():
    E = np.array([[1e17, 1e17], [1e19, 0.0], [3e38, 3e38], [1e17, 0.0]], dtype=np.float32)
    statistics = row_statistics(ArrayMatrix(E))
    assert statistics.problems.tolist() == ["", "inf", "inf", ""]
    np.testing.assert_allclose(statistics.mean_row, [1e17, 5e16], rtol=1e-6)
    np.testing.assert_allclose(statistics.norms[3], 1e17, rtol=1e-6)


def test_a_row_of_nan_and_infinity_counts_as_nan():
    E = np.array([[np.nan, np.inf]], dtype=np.float32)
    assert row_statistics(ArrayMatrix(E)).problems.tolist() == ["nan"]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 40)), elements=st.integers(0, 3)))
def test_equal_rows_have_equal_hashes_and_different_rows_do_not(stored):
    hashes = hash_rows(stored)
    for i in range(len(stored)):
        for j in range(len(stored)):
            assert (hashes[i] == hashes[j]) == (stored[i] == stored[j]).all()


def test_the_mean_of_a_large_matrix_is_as_good(monkeypatch):
    E = np.random.default_rng(0).standard_normal((1000, 24)).astype(np.float32) + np.float32(3)
    monkeypatch.setattr("forensics.matrices.KEPT_BYTES", 0)
    monkeypatch.setattr("forensics.matrices.STREAMED_BLOCK_BYTES", 300 * 4 * 24)
    np.testing.assert_allclose(
        row_statistics(ArrayMatrix(E)).mean_row, E.mean(axis=0, dtype=float), rtol=2e-7
    )
