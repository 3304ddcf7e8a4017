from __future__ import annotations

import numpy as np
import pytest

from forensics.exposure.blind import blind_scores, hashed_trigrams, neighbour_likeness
from forensics.exposure.comparison import auroc, auroc_interval
from forensics.exposure.order import cut_shards
from forensics.sources.texts.parallel_text import read_parallel_text


@pytest.fixture(scope="module")
def english() -> tuple[str, ...]:
    return read_parallel_text(languages=["eng_Latn"]).lines["eng_Latn"]


def test_rows_have_unit_length_whatever_the_text():
    rows = hashed_trigrams(["", "a", "abcabcabc", "\ud800 half"])
    assert np.asarray(rows.multiply(rows).sum(axis=1)).ravel() == pytest.approx(1)


def test_another_style_is_told_apart_and_halves_of_one_corpus_are_not(english):
    rng = np.random.default_rng(0)
    shouted = [line.upper() for line in english[100:160]]
    assert auroc(*blind_scores(english[:60], shouted, rng)) > 0.95
    separated = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(english))
        halves = ([english[i] for i in part] for part in (order[:80], order[80:160]))
        separated += auroc_interval(*blind_scores(*halves, rng), rng, 200)[0] > 0.6
    assert separated <= 1


def test_neighbours_of_flores_belong_together_and_shuffled_ones_do_not(english):
    shards = cut_shards(len(english), 25)
    alike, shuffled, p = neighbour_likeness(english, shards, np.random.default_rng(0), 199)
    assert alike > shuffled and p < 0.05
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        lines = [english[i] for i in rng.permutation(len(english))]
        found.append(neighbour_likeness(lines, shards, rng, 99)[2])
    assert np.mean(np.array(found) < 0.05) <= 0.2 and 0.3 < np.mean(found) < 0.7
