"""References are found where rows agree, evidence that points elsewhere is dropped."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.reference import find_reference, given_reference
from forensics.undertrained.rows import row_statistics

V, D = 3000, 48
UNTRAINED = list(range(2900, 2940))


@pytest.fixture(scope="module")
def matrix():
    """Ordinary rows in a common direction with spread; the untrained ones in one place of their own."""
    rng = np.random.default_rng(0)
    E = rng.standard_normal((V, D)) + 2 * np.ones(D)
    E[UNTRAINED] = 3 * np.sin(np.arange(D)) + 0.15 * rng.standard_normal((len(UNTRAINED), D))
    return ArrayMatrix(E.astype(np.float32))


def find(matrix, **evidence):
    return find_reference(matrix, row_statistics(matrix), evidence, np.random.default_rng(0))


def test_agreeing_evidence_is_kept_and_trained_rows_among_it_are_dropped(matrix):
    found = find(matrix, reserved=[*UNTRAINED[:20], 5, 6, 7, 8, 9], special=[0, 1, 2900])
    assert found.has_evidence
    assert set(found.ids) == set(UNTRAINED[:20])
    assert found.dropped == (0, 1, 5, 6, 7, 8, 9)
    assert found.agreement > 0.9
    assert {k.kind: (k.count, k.kept) for k in found.kinds} == {"reserved": (25, 20), "special": (3, 1)}


def test_a_large_kind_does_not_outvote_a_trusted_one(matrix):
    """Trained look-alikes declared reserved must not win against bytes that no text can hold."""
    E = matrix.array.copy()
    lookalikes = list(range(100, 130))
    E[lookalikes] = -3 * np.cos(np.arange(D)) + 0.05 * np.random.default_rng(1).standard_normal((30, D))
    found = find(ArrayMatrix(E), never_valid_byte=UNTRAINED[:13], reserved=lookalikes)
    assert set(found.ids) == set(UNTRAINED[:13])
    assert set(found.dropped) == set(lookalikes)


def test_evidence_that_does_not_agree_is_refused_and_the_fallback_finds_the_cluster(matrix):
    found = find(matrix, special=[1, 50, 99, 1000, 2000])
    assert not found.has_evidence
    assert set(found.ids) <= set(UNTRAINED)
    assert "do not point one way" in found.how[0]
    assert found.dropped == (1, 50, 99, 1000, 2000)


def test_without_any_evidence_it_says_so(matrix):
    found = find(matrix)
    assert not found.has_evidence
    assert "no token" in found.how[0]


def test_the_direction_of_the_whole_matrix_is_no_evidence():
    """All rows alike: nothing sets the reserved ones apart."""
    rng = np.random.default_rng(0)
    E = np.zeros((500, 16), dtype=np.float32)
    E[:, 0] = np.where(rng.random(500) < 0.5, 1, -1) * 5
    E += 0.01 * rng.standard_normal((500, 16)).astype(np.float32)
    same_side = np.flatnonzero(E[:, 0] > 0)[:20]
    assert not find(ArrayMatrix(E), reserved=same_side.tolist()).has_evidence


def test_broken_rows_are_no_reference(matrix):
    E = matrix.array.copy()
    E[UNTRAINED[0]] = 0
    E[UNTRAINED[1]] = np.nan
    found = find(ArrayMatrix(E), unused_row=UNTRAINED)
    assert set(found.ids) == set(UNTRAINED[2:])


def test_given_references_are_taken_at_their_word(matrix):
    found = given_reference([5, 3, 5], matrix, row_statistics(matrix))
    assert found.ids == (3, 5)
    assert "given by the user" in found.how[0]


def test_unknown_kinds_are_refused(matrix):
    with pytest.raises(KeyError):
        find(matrix, rumour=[1])


@pytest.mark.parametrize("size", [0.0, 1e-23])
def test_reserved_rows_that_training_never_moved_from_zero_are_references(matrix, size):
    E = matrix.array.copy()
    dead = [*range(2950, 2970), 17, 18]
    E[dead] = size * np.random.default_rng(3).standard_normal((len(dead), D))
    found = find(ArrayMatrix(E), reserved=list(range(2950, 2972)), special=[0, 1, 2])
    assert found.has_evidence
    assert set(found.ids) == set(range(2950, 2970))
    assert set(found.dropped) == {2970, 2971}
    assert "never moved" in found.how[1]


def test_a_few_zero_rows_among_many_reserved_ones_do_not_decide(matrix):
    E = matrix.array.copy()
    E[[1, 2, 3]] = 0
    found = find(ArrayMatrix(E), reserved=[1, 2, 3, *UNTRAINED[:20]])
    assert set(found.ids) == set(UNTRAINED[:20])
