"""Bounds of scores from part of the texts: never below the score, and down to it at the end."""

import numpy as np
import pytest

from forensics.sticky.pairs import pairs_of_sentences
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import insertion_slots
from forensics.sticky.score_bounds import ScoreBounds
from tests.sticky.bag_encoder import BagEncoder, english

COPIES, TOKENS = 4, 40
TEXTS = [f"q{k}x" for k in range(TOKENS)]
EVERY = list(range(TOKENS))


@pytest.fixture(scope="module")
def scorer():
    encoder = BagEncoder.random(TOKENS, seed=6)
    return PublishedScorer.of(encoder, pairs_of_sentences(encoder, english(30, 4), 0.5, 3, "test"))


@pytest.fixture(scope="module")
def slots(scorer):
    return np.array([at for _, at in insertion_slots(TOKENS, scorer.words, COPIES, EVERY)], dtype=np.uint16)


@pytest.fixture(scope="module")
def scores(scorer, slots):
    return [scorer.score(text, at.tolist()) for text, at in zip(TEXTS, slots, strict=True)]


def test_bounds_fall_text_by_text_and_never_below_the_score(scorer, slots, scores):
    bounds = ScoreBounds(scorer, TEXTS, slots, scorer.bare(TEXTS))
    before = bounds.totals(EVERY)
    for _ in range(len(scorer.pairs) * 3 * COPIES):
        assert all(bound >= score for bound, score in zip(before, scores, strict=True))
        cells, gains = bounds.next_texts(EVERY)
        assert min(gains) > 0
        bounds.learn(EVERY, cells, bounds.measure(EVERY, cells))
        after = bounds.totals(EVERY)
        assert all(new <= old + 1e-9 for new, old in zip(after, before, strict=True))
        before = after
    # Every text is known: nothing is left to gain, and only that a cell's bound stops at 1 keeps them apart.
    assert set(bounds.next_texts(EVERY)[1]) == {0}
    assert before == pytest.approx(scores, abs=1)
    assert max(before) == pytest.approx(max(scores), rel=1e-3)


def test_a_cell_that_showed_a_rise_at_once_promises_more_for_the_next_token(scorer, slots):
    bounds = ScoreBounds(scorer, TEXTS, slots, scorer.bare(TEXTS))
    (before,), _ = bounds.next_texts([0])
    bounds.learn([1], [before], [2.0])  # the largest rise that there is
    (kept,), (promise,) = bounds.next_texts([0])
    assert kept == before
    for token in range(2, 12):
        bounds.learn([token], [before], [0.0])  # the largest fall that there is
    (other,), (less,) = bounds.next_texts([0])
    assert other != before
    assert less < promise
