import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.sources.checkpoints.config import ModelConfig
from forensics.sources.checkpoints.tying import (
    SAMPLE_ROWS,
    compare_matrices,
    contradiction,
    without_unembedding,
)
from forensics.sources.interface import Tying
from tests.sources.written_checkpoints import matrix

ROWS = 3 * SAMPLE_ROWS


def relation(first, second):
    return compare_matrices(ArrayMatrix(first), ArrayMatrix(second))


def test_identical_also_with_nan_infinity_and_zero_rows():
    E = matrix(0, ROWS)
    E[3], E[4], E[5, 0] = 0, np.nan, np.inf
    verdict = relation(E, E.copy())
    assert verdict.tying is Tying.TIED_STORED_TWICE
    assert f"all {ROWS} rows" in verdict.evidence


def test_independent_matrices_differ():
    verdict = relation(matrix(0, ROWS), matrix(1, ROWS))
    assert verdict.tying is Tying.UNTIED
    assert f"0 of {SAMPLE_ROWS} sampled rows" in verdict.evidence


def test_a_single_changed_row_between_the_sampled_ones_is_seen():
    E = matrix(0, ROWS)
    changed = E.copy()
    changed[1] += 5  # evenly spaced sampling of a third of the rows does not look at row 1
    verdict = relation(E, changed)
    assert verdict.tying is Tying.NEARLY_TIED
    assert f"{ROWS - 1} of {ROWS} rows are identical" in verdict.evidence


def test_the_same_matrix_in_another_precision_is_nearly_tied():
    E = matrix(0, ROWS)
    verdict = relation(E, E.astype(np.float16))
    assert verdict.tying is Tying.NEARLY_TIED
    assert f"{ROWS} within" in verdict.evidence


@pytest.mark.parametrize(("agreeing", "expected"), [(0.6, Tying.UNTIED), (0.95, Tying.NEARLY_TIED)])
def test_the_share_of_agreeing_rows_decides(agreeing, expected):
    E, other = matrix(0, ROWS), matrix(1, ROWS)
    keep = np.random.default_rng(2).random(ROWS) < agreeing
    other[keep] = E[keep]
    verdict = relation(E, other)
    assert verdict.tying is expected
    assert f"{keep.sum()} of {ROWS} rows are identical" in verdict.evidence


def test_other_shapes():
    E = matrix(0, ROWS)
    assert relation(E, matrix(0, ROWS, 8)).tying is Tying.UNTIED
    shorter = relation(E, E[:-8])
    assert shorter.tying is Tying.NEARLY_TIED
    assert f"of {ROWS} and {ROWS - 8} rows" in shorter.evidence


def test_broken_rows_agree_with_nothing_and_do_not_warn():
    E = matrix(0, 20)
    broken = np.full_like(E, np.nan)
    assert relation(E, broken).tying is Tying.UNTIED
    assert relation(E * np.float32(1e30), E).tying is Tying.UNTIED


def test_what_is_not_stored_is_tied_only_if_there_is_a_head():
    headed = ModelConfig({}, has_head=True, head_evidence="because")
    assert without_unembedding(headed, is_decoder_name=False).tying is Tying.TIED
    assert "because" in without_unembedding(headed, is_decoder_name=False).evidence
    assert without_unembedding(ModelConfig({}, has_head=False), is_decoder_name=True).tying is Tying.NO_HEAD
    assert without_unembedding(ModelConfig({}), is_decoder_name=True).tying is Tying.TIED
    assert without_unembedding(ModelConfig({}), is_decoder_name=False).tying is Tying.NO_HEAD


def test_contradictions_with_the_configuration():
    E = matrix(0)
    untied, twice = relation(E, matrix(1)), relation(E, E)
    absent = without_unembedding(ModelConfig({}, has_head=True), is_decoder_name=True)
    assert "drops the stored unembedding" in (contradiction(untied, True) or "")
    assert "incomplete" in (contradiction(absent, False) or "")
    assert "agree" in (contradiction(twice, False) or "")
    for verdict, claimed in ((untied, False), (twice, True), (absent, True), (untied, None), (absent, None)):
        assert contradiction(verdict, claimed) is None
