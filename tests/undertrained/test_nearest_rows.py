"""Nearest rows against all pairs at once."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.nearest_rows import cosine_to_mean, nearest_rows, rows_worth_asking
from forensics.undertrained.rows import row_statistics


def matrix_and_statistics(array):
    matrix = ArrayMatrix(np.asarray(array, dtype=np.float32))
    return matrix, row_statistics(matrix)


def brute_force(array, k=10):
    units = array / np.linalg.norm(array, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    return np.sort(cosines, axis=1)[:, -k:].mean(axis=1), cosines.argmax(axis=1)


def test_equals_brute_force_over_several_blocks(monkeypatch):
    monkeypatch.setattr("forensics.undertrained.nearest_rows._ASKED", 70)
    monkeypatch.setattr("forensics.undertrained.nearest_rows._BLOCK_BYTES", 4 * 16 * 90)
    array = np.random.default_rng(0).standard_normal((500, 16))
    found = nearest_rows(*matrix_and_statistics(array))
    top10, nearest = brute_force(array)
    assert found.top10_cosine == pytest.approx(top10, abs=1e-5)
    assert found.nearest_key.tolist() == nearest.tolist()


def test_a_tight_cluster_stands_out():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((400, 32))
    array[:30] = rng.standard_normal(32) + 0.1 * rng.standard_normal((30, 32))
    top10 = nearest_rows(*matrix_and_statistics(array)).top10_cosine
    assert top10[:30].min() > top10[30:].max()


def test_where_all_pairs_are_too_dear_the_fringe_is_asked_in_the_whole_matrix():
    array = np.random.default_rng(0).standard_normal((300, 8)) + 0.5
    matrix, statistics = matrix_and_statistics(array)
    operations = 2.0 * 60 * 300 * 8
    asked = rows_worth_asking(matrix, statistics, operations)
    found = nearest_rows(matrix, statistics, operations=operations, also=np.array([5]))
    order = np.argsort(cosine_to_mean(matrix, statistics))
    assert set(asked.tolist()) == {*order[:30].tolist(), *order[-30:].tolist()}
    has_value = np.flatnonzero(~np.isnan(found.top10_cosine))
    assert set(has_value.tolist()) == {*asked.tolist(), 5}
    assert found.top10_cosine[has_value] == pytest.approx(brute_force(array)[0][has_value], abs=1e-5)
    assert f"{len(has_value)} of 300 rows" in found.how
    assert (found.nearest_key[np.isnan(found.top10_cosine)] == -1).all()


def test_broken_rows_are_neither_asked_nor_found():
    array = np.random.default_rng(0).standard_normal((40, 8))
    array[3], array[7] = np.nan, 0.0
    found = nearest_rows(*matrix_and_statistics(array))
    assert np.isnan(found.top10_cosine[[3, 7]]).all()
    kept = np.delete(array, [3, 7], axis=0)
    assert np.delete(found.top10_cosine, [3, 7]) == pytest.approx(brute_force(kept)[0], abs=1e-5)
    assert not np.isin(found.nearest_key, [3, 7]).any()


def test_a_single_row_has_no_neighbour():
    found = nearest_rows(*matrix_and_statistics(np.ones((1, 4))))
    assert np.isnan(found.top10_cosine).all()
