"""The first principal component against a full decomposition."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.principal_component import first_principal_component
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
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0))
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
    found = first_principal_component(matrix, row_statistics(matrix), np.random.default_rng(0))
    assert found[0] > 0.99
