"""Every indicator against its definition, written out plainly in float64."""

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.schema.indicators import INDICATOR_NAMES
from forensics.undertrained.indicators import embedding_indicators, unembedding_indicators
from forensics.undertrained.principal_component import first_principal_component
from forensics.undertrained.rows import row_statistics
from forensics.undertrained.witnesses import WITHOUT_REFERENCES

REFERENCE = [3, 10, 200, 399]


def cosine_distance(rows, vector):
    return 1 - rows @ vector / (np.linalg.norm(rows, axis=1) * np.linalg.norm(vector))


@pytest.fixture(scope="module")
def E():  # noqa: N802
    rng = np.random.default_rng(5)
    return (rng.standard_normal((400, 32)) + np.linspace(0, 3, 32)).astype(np.float32)


def test_unembedding_indicators_equal_their_definitions(E):
    matrix = ArrayMatrix(E)
    statistics = row_statistics(matrix)
    X = E.astype(np.float64)
    centred = X - X.mean(axis=0)
    pc = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    bias = np.linspace(-1, 1, len(E), dtype=np.float32)
    found = unembedding_indicators(matrix, statistics, REFERENCE, pc.astype(np.float32), bias)
    without = X - np.outer(X @ pc, pc)
    expected = {
        "eout_cosine": cosine_distance(X, X[REFERENCE].mean(axis=0)),
        "eout_cosine_centered": cosine_distance(centred, centred[REFERENCE].mean(axis=0)),
        "eout_cosine_no_pc1": cosine_distance(without, without[REFERENCE].mean(axis=0)),
        "eout_l2": np.linalg.norm(X - X[REFERENCE].mean(axis=0), axis=1),
        "eout_bias": bias,
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, atol=2e-6, err_msg=name)


def test_embedding_indicators_equal_their_definitions(E):
    matrix = ArrayMatrix(E)
    found = embedding_indicators(matrix, row_statistics(matrix), REFERENCE)
    X = E.astype(np.float64)
    np.testing.assert_allclose(found["ein_l2_norm"], np.linalg.norm(X, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found["ein_cosine"], cosine_distance(X, X[REFERENCE].mean(axis=0)), atol=1e-6)


def test_without_references_only_norm_and_bias_are_left(E):
    matrix = ArrayMatrix(E)
    statistics = row_statistics(matrix)
    bias = np.zeros(len(E), dtype=np.float32)
    component = np.eye(1, 32, dtype=np.float32)[0]
    assert list(embedding_indicators(matrix, statistics, [])) == ["ein_l2_norm"]
    assert list(unembedding_indicators(matrix, statistics, [], component, bias)) == ["eout_bias"]


def test_rows_without_direction_have_no_cosine_and_spoil_no_other_row(E):
    damaged = E.copy()
    damaged[50], damaged[60] = 0, np.nan
    matrix = ArrayMatrix(damaged)
    statistics = row_statistics(matrix)
    component = first_principal_component(matrix, statistics, np.random.default_rng(0)).direction
    found = unembedding_indicators(matrix, statistics, [*REFERENCE, 60], component)
    for name in ("eout_cosine", "eout_cosine_centered", "eout_cosine_no_pc1"):
        assert np.flatnonzero(np.isnan(found[name])).tolist() == [50, 60], name


def test_the_input_is_left_as_it_was(E):
    before = E.copy()
    matrix = ArrayMatrix(E)
    statistics = row_statistics(matrix)
    unembedding_indicators(matrix, statistics, REFERENCE, np.eye(1, 32, dtype=np.float32)[0])
    np.testing.assert_array_equal(E, before)


def test_every_indicator_is_described(E):
    matrix = ArrayMatrix(E)
    statistics = row_statistics(matrix)
    bias = np.zeros(len(E), dtype=np.float32)
    names = {*embedding_indicators(matrix, statistics, REFERENCE)}
    names |= {
        *unembedding_indicators(matrix, statistics, REFERENCE, np.eye(1, 32, dtype=np.float32)[0], bias)
    }
    # The ranking without references is made of two other columns.
    assert names | {WITHOUT_REFERENCES} == set(INDICATOR_NAMES)
