"""The letter probe, on rows that hold the letters by construction."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.letter_probe import letter_probe

LETTERS = "abcdefghijklmnopqrstuvwxyz"
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"


def words_of(alphabet, n, rng):
    return ["".join(rng.choice(list(alphabet), size=rng.integers(2, 7))) for _ in range(n)]


def rows_of(words, alphabet, rng, width=40):
    directions = rng.standard_normal((len(alphabet), width))
    present = np.array([[c in w for c in alphabet] for w in words], dtype=float)
    return present @ directions + 0.3 * rng.standard_normal((len(words), width))


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(0)
    latin, greek = words_of(LETTERS, 1200, rng), words_of(GREEK, 600, rng)
    rows = np.concatenate([rows_of(latin, LETTERS, rng), rows_of(greek, GREEK, rng)])
    rows[:50] = rows.mean(axis=0) + 0.01 * rng.standard_normal((50, 40))  # never trained
    scripts = np.array(["Latin"] * 1200 + ["Greek"] * 600)
    return ArrayMatrix(rows.astype(np.float32)), [*latin, *greek], scripts


def test_untrained_rows_are_weakly_predicted(mixed):
    matrix, words, scripts = mixed
    found = letter_probe(
        matrix, words, scripts, np.ones(1800, bool), np.random.default_rng(1), least_tokens=500
    )
    assert found.words == {"Latin": 1200, "Greek": 600}
    assert min(found.auc.values()) > 0.9
    strength = found.letter_strength
    assert np.mean(strength[:50] < np.quantile(strength[50:1200], 0.05)) > 0.9


def test_a_script_with_too_few_words_gets_no_value(mixed):
    matrix, words, scripts = mixed
    found = letter_probe(
        matrix, words, scripts, np.ones(1800, bool), np.random.default_rng(1), least_tokens=700
    )
    assert found.words == {"Latin": 1200}
    assert np.isnan(found.letter_strength[1200:]).all()


def test_only_words_of_eligible_tokens_take_part():
    rng = np.random.default_rng(0)
    words = words_of(LETTERS, 300, rng)
    matrix = ArrayMatrix(rows_of(words, LETTERS, rng).astype(np.float32))
    texts = [*words[:297], None, "12", "a"]
    eligible = np.ones(300, bool)
    eligible[:10] = False
    found = letter_probe(
        matrix, texts, np.array(["Latin"] * 300), eligible, np.random.default_rng(0), least_tokens=100
    )
    assert np.isnan(found.letter_strength[[*range(10), 297, 298, 299]]).all()
    assert np.isfinite(found.letter_strength[10:297]).all()


def test_no_row_is_predicted_from_itself():
    # Letters drawn anew have nothing to do with the rows: a probe that saw its own rows would score high.
    rng = np.random.default_rng(0)
    words = words_of(LETTERS, 400, rng)
    matrix = ArrayMatrix(rng.standard_normal((400, 200)).astype(np.float32))
    found = letter_probe(matrix, words, np.array(["Latin"] * 400), np.ones(400, bool), rng, least_tokens=100)
    assert found.auc["Latin"] == pytest.approx(0.5, abs=0.05)
