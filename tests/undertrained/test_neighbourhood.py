"""The tightest neighbourhood is the planted cluster, wherever at the fringe it lies."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.neighbourhood import densest_neighbourhood
from forensics.undertrained.rows import row_statistics

V, D = 3000, 48
CLUSTER = set(range(1500, 1530))


def find(E, seed=7, **options):
    matrix = ArrayMatrix(E.astype(np.float32))
    return densest_neighbourhood(matrix, row_statistics(matrix), np.random.default_rng(seed), **options)


@pytest.mark.parametrize("length", [0.05, 3.0], ids=["short rows", "long rows"])
def test_a_planted_cluster_is_found(length):
    rng = np.random.default_rng(0)
    E = rng.standard_normal((V, D)) + 2
    E[sorted(CLUSTER)] = length * (np.sin(np.arange(D)) + 0.05 * rng.standard_normal((len(CLUSTER), D)))
    rows, tightness = find(E)
    assert set(rows) <= CLUSTER
    assert tightness > 0.9


def test_without_a_cluster_the_tightness_says_so():
    _, tightness = find(np.random.default_rng(0).standard_normal((V, D)))
    assert tightness < 0.5


def test_broken_rows_are_never_part_of_it():
    E = np.random.default_rng(0).standard_normal((200, D))
    E[50:80] = np.nan
    E[80:110] = 0
    rows, _ = find(E)
    assert not set(rows) & set(range(50, 110))


def test_the_same_seed_gives_the_same_rows():
    E = np.random.default_rng(0).standard_normal((V, D))
    assert find(E)[0].tolist() == find(E)[0].tolist()


def test_projections_find_the_same_rows_in_a_large_matrix():
    rng = np.random.default_rng(0)
    E = rng.standard_normal((V, 200)) + 2
    E[sorted(CLUSTER)] = 0.05 * (np.sin(np.arange(200)) + 0.05 * rng.standard_normal((len(CLUSTER), 200)))
    exact, tightness = find(E)
    rows, projected_tightness = find(E, exact_bytes=0)
    assert set(rows) <= CLUSTER
    assert len(rows) == len(exact)
    assert projected_tightness == pytest.approx(tightness, abs=0.02)


def test_a_matrix_without_a_usable_row_has_no_neighbourhood():
    rows, tightness = find(np.zeros((20, D)))
    assert (len(rows), tightness) == (0, 0.0)
