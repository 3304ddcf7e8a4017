"""Groups of equal and nearly equal rows, against all-pairs comparison."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forensics.matrices import ArrayMatrix
from forensics.undertrained.duplicates import NEAR_TOLERANCE, identical_groups, near_identical_groups
from forensics.undertrained.rows import RowStatistics, row_statistics


def groups_of(matrix):
    return identical_groups(matrix, row_statistics(matrix))


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 20), st.integers(1, 3)), elements=st.sampled_from([0, 1, -1])
    )
)
def test_identical_groups_equal_all_pairs_comparison(E):
    groups = groups_of(ArrayMatrix(E))
    for i in range(len(E)):
        equal = [j for j in range(len(E)) if E[i].tobytes() == E[j].tobytes()]
        assert groups.size[i] == len(equal)
        assert (groups.group[i] >= 0) == (len(equal) > 1)
        assert groups.representatives()[i] == (i == equal[0])
        if len(equal) > 1:
            assert groups.members()[groups.group[i]].tolist() == equal
    assert groups.count == len(groups.members())


def test_a_hash_collision_does_not_make_a_group():
    E = np.arange(8, dtype=np.float32).reshape(4, 2)
    matrix = ArrayMatrix(E)
    true = row_statistics(matrix)
    collided = RowStatistics(true.norms, true.mean_row, true.problems, np.zeros(4, dtype=np.uint64))
    assert identical_groups(matrix, collided).count == 0


def test_groups_are_numbered_by_their_smallest_row():
    E = np.array([[3.0], [1.0], [2.0], [1.0], [3.0]], dtype=np.float32)
    assert groups_of(ArrayMatrix(E)).group.tolist() == [0, 1, -1, 1, 0]


@pytest.mark.parametrize("width", [64, 2500])  # wide rows are folded before they are hashed
def test_near_identical_rows_are_found_and_others_are_not(width):
    rng = np.random.default_rng(1)
    E = rng.standard_normal((2000, width), dtype=np.float32)
    spread = np.median(np.linalg.norm(E - E.mean(axis=0), axis=1))
    step = rng.standard_normal((40, width), dtype=np.float32)
    step *= 0.4 * NEAR_TOLERANCE * spread / np.linalg.norm(step, axis=1, keepdims=True)
    planted = np.arange(100, 140)
    E[planted] = E[100] + step
    # Equal steps in every column, together at a distance of three tolerances.
    E[7] = E[900] + 3 * NEAR_TOLERANCE * spread / np.sqrt(width)
    matrix = ArrayMatrix(E)
    groups = near_identical_groups(matrix, row_statistics(matrix), np.random.default_rng(0))
    assert groups.count == 1
    assert groups.members()[0].tolist() == planted.tolist()


def test_broken_rows_are_in_no_near_group():
    E = np.random.default_rng(0).standard_normal((50, 8), dtype=np.float32)
    E[3] = E[4] = np.nan
    E[5] = E[6] = 0
    matrix = ArrayMatrix(E)
    assert near_identical_groups(matrix, row_statistics(matrix), np.random.default_rng(0)).count == 0
