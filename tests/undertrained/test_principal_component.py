"""The first principal component against a full decomposition."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.principal_component import first_principal_component, leading_directions
from forensics.undertrained.rows import row_statistics


@pytest.mark.parametrize("ratio", [0.3, 0.8])
def test_it_equals_the_leading_eigenvector(ratio):
    """`ratio` is that of the second to the first variance; a tenth follows the eighth."""
    rng = np.random.default_rng(3)
    d = 40
    variances = np.concatenate([[1.0, *[ratio] * 7], np.full(d - 8, 0.1 * ratio)])
    axes, _ = np.linalg.qr(rng.standard_normal((d, d)))
    E = (rng.standard_normal((6000, d)) * np.sqrt(variances)) @ axes.T + 5.0
    matrix = ArrayMatrix(E.astype(np.float32))
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0)).direction
    centred = E - E.mean(axis=0)
    expected = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    assert abs(found @ expected) > 1 - 1e-6
    assert found[np.argmax(np.abs(found))] > 0


def test_broken_rows_take_no_part():
    rng = np.random.default_rng(0)
    E = rng.standard_normal((300, 10), dtype=np.float32)
    E[:, 0] *= 10
    E[5], E[9] = np.nan, np.inf
    matrix = ArrayMatrix(E)
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0)).direction
    assert found[0] > 0.99


def test_numbers_at_the_edge_of_float32_have_directions_too():
    rows = np.random.default_rng(1).standard_normal((50, 8), dtype=np.float32)
    rows[:, 2] *= 20
    expected = leading_directions(rows, 3, np.random.default_rng(0))
    for scale in (1e30, 3e36):
        found = leading_directions(rows * np.float32(scale), 3, np.random.default_rng(0))
        assert np.abs(found[:, 0] @ expected[:, 0]) > 0.999
        assert found.T @ found == pytest.approx(np.eye(3), abs=1e-5)


def spiked(ratio, rows=4000, d=60):
    """Rows with one strong direction; `ratio` is that of the second to the first variance."""
    rng = np.random.default_rng(5)
    scales = np.sqrt(np.concatenate([[1.0], np.full(d - 1, ratio)]))
    return ArrayMatrix((rng.standard_normal((rows, d)) * scales).astype(np.float32))


def of_large(matrix):
    """The component as it is found where a matrix counts as large."""
    return first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0), full_bytes=0)


def test_a_large_matrix_is_read_no_more_than_needed_and_the_error_is_stated():
    matrix = spiked(0.05, rows=9000)
    found = of_large(matrix)
    full = np.linalg.eigh(np.cov(matrix.array.T.astype(np.float64)))[1][:, -1]
    true_angle = float(np.arccos(min(1.0, abs(found.direction @ full))))
    assert found.rounds < 3
    assert true_angle <= max(found.angle, 1e-3)
    assert "estimated error" in found.remark()


def test_where_nothing_stands_out_the_remark_says_so():
    found = of_large(spiked(1.0))
    assert found.angle == pytest.approx(np.pi / 2)
    assert "chance" in found.remark()


def test_a_small_matrix_has_no_remark():
    matrix = spiked(0.05)
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0))
    assert found.rounds == 3
    assert found.remark() is None


@pytest.mark.parametrize("size", [1e16, 1e-30])
def test_rows_of_any_size_have_a_component(size):
    matrix = ArrayMatrix(spiked(0.05).array * np.float32(size))
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0))
    assert np.isfinite(found.direction).all()
    if size > 1:
        assert abs(found.direction[0]) > 0.99


def test_a_matrix_without_a_usable_row_has_no_component():
    matrix = ArrayMatrix(np.zeros((20, 4), dtype=np.float32))
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0))
    assert not found.direction.any()
