"""The weight-only analysis as a whole, on matrices in which the untrained rows are planted."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.weights import Matrices, analyse_weights

V, D = 2500, 32
UNTRAINED = np.arange(2000, 2060)
REFERENCE = np.arange(2480, 2500)


def planted(seed, decay=1.0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((V, D)) + 1
    rows = np.concatenate([UNTRAINED, REFERENCE])
    E[rows] = decay * (2 * np.sin(np.arange(D)) + 0.1 * rng.standard_normal((len(rows), D)))
    return ArrayMatrix(E.astype(np.float32))


def analyse(matrices, **options):
    eligible = np.ones(V, dtype=bool)
    eligible[REFERENCE] = False
    options = {"evidence": {"unused_row": REFERENCE.tolist()}, "eligible": eligible, **options}
    return analyse_weights(matrices, vocabulary_size=REFERENCE[0], rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize("tied", [True, False])
def test_planted_rows_are_the_candidates(tied):
    E_out = planted(0)
    E_in = E_out if tied else planted(1, decay=0.01)
    found = analyse(Matrices(E_in, E_out), percent=100 * 60 / 2480)
    assert sorted(found.candidates) == UNTRAINED.tolist()
    assert set(found.reference.ids) == set(REFERENCE)
    assert sorted(found.ranks) == list(range(1, V + 1))
    assert ("ein_l2_norm" in found.indicators) == (not tied)
    # At a false-discovery level of one in five, 60 planted tokens may bring 15 others along.
    assert 60 <= found.threshold.n_below <= 75


def test_a_model_without_head_is_ranked_by_its_embedding():
    found = analyse(Matrices(planted(0), None), percent=100 * 60 / 2480)
    assert set(found.indicators) == {"ein_l2_norm", "ein_cosine"}
    assert found.choice.name == "ein_cosine"
    assert sorted(found.candidates) == UNTRAINED.tolist()
    assert found.past_vocabulary is None


def test_the_norm_wins_where_weight_decay_reached_the_embedding_and_the_head_is_noise():
    rng = np.random.default_rng(0)
    head = ArrayMatrix(rng.standard_normal((V, D), dtype=np.float32))
    found = analyse(Matrices(planted(1, decay=0.001), head), reference_ids=REFERENCE.tolist())
    assert found.choice.name in ("ein_l2_norm", "ein_cosine")


def test_one_of_identical_rows_speaks_for_all_and_does_not_use_up_candidates():
    E = planted(0).array.copy()
    E[UNTRAINED[:30]] = E[UNTRAINED[0]]
    matrix = ArrayMatrix(E)
    found = analyse(Matrices(matrix, matrix), percent=100 * 31 / 2451)
    assert (found.representative[UNTRAINED[:30]] == UNTRAINED[0]).all()
    assert sorted(found.candidates) == [UNTRAINED[0], *UNTRAINED[30:]]


def test_an_eligible_token_speaks_before_one_that_is_not():
    E = planted(0).array.copy()
    E[5] = E[UNTRAINED[0]] = E[UNTRAINED[1]]
    eligible = np.ones(V, dtype=bool)
    eligible[[5, *REFERENCE]] = False
    found = analyse(Matrices(ArrayMatrix(E), ArrayMatrix(E)), eligible=eligible)
    assert (found.representative[[5, *UNTRAINED[:2]]] == UNTRAINED[0]).all()


def test_rows_equal_in_one_matrix_only_speak_for_themselves():
    E_in, E_out = planted(0).array.copy(), planted(1)
    E_in[UNTRAINED] = E_in[UNTRAINED[0]]
    found = analyse(Matrices(ArrayMatrix(E_in), E_out))
    assert found.is_representative.all()
    assert found.identical.count == 1


def test_a_head_with_other_rows_than_the_embedding_is_fitted():
    longer = ArrayMatrix(np.vstack([planted(0).array, np.ones((4, D), dtype=np.float32)]))
    shorter = ArrayMatrix(planted(0).array[:2490])
    for head in (longer, shorter):
        found = analyse(Matrices(planted(1), head))
        assert all(len(values) == V for values in found.indicators.values())


def test_an_indicator_that_does_not_apply_is_refused_with_those_that_do():
    matrix = planted(0)
    with pytest.raises(ValueError, match=r"eout_bias.*eout_cosine"):
        analyse(Matrices(matrix, matrix), indicator="eout_bias")


def test_a_named_indicator_ranks():
    matrix = planted(0)
    found = analyse(Matrices(matrix, matrix), indicator="eout_l2")
    assert found.choice.name == "eout_l2"
    np.testing.assert_array_equal(np.argsort(found.ranks), np.argsort(found.values, kind="stable"))


def test_the_same_seed_gives_the_same_bytes():
    matrix = planted(0)
    one, two = analyse(Matrices(matrix, matrix)), analyse(Matrices(matrix, matrix))
    for name, values in one.indicators.items():
        assert values.tobytes() == two.indicators[name].tobytes()


@pytest.mark.parametrize("where", ["both", "head", "tied"])
@pytest.mark.parametrize("size", [0.0, 1e-23])
def test_rows_that_training_never_moved_rank_first(where, size):
    """Ordinary tokens at zero, in either matrix, with reserved ones at zero as references."""
    rng = np.random.default_rng(0)
    V, d, reserved, ordinary = 600, 24, range(580, 600), [40, 41, 300]
    E, H = ((rng.standard_normal((V, d)) + 1).astype(np.float32) for _ in range(2))
    for matrix in {"both": (E, H), "head": (H,), "tied": (E,)}[where]:
        matrix[[*ordinary, *reserved]] = size * rng.standard_normal((23, d))
    E_in = ArrayMatrix(E)
    eligible = np.ones(V, dtype=bool)
    eligible[580:] = False
    found = analyse_weights(
        Matrices(E_in, E_in if where == "tied" else ArrayMatrix(H)),
        evidence={"reserved": list(reserved)},
        eligible=eligible,
        vocabulary_size=V,
        rng=np.random.default_rng(0),
    )
    assert found.reference.has_evidence
    assert set(found.reference.ids) == set(reserved)
    places = np.argsort(found.ranks)
    assert set(places[:23]) == {*ordinary, *reserved}
    assert np.isfinite(found.values[ordinary]).all()
