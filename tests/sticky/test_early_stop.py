"""The early stop: whatever its first guess, the shortlist is that of a run that scores every token."""

import numpy as np
import pytest

from forensics.progress import Progress
from forensics.sticky import early_stop
from forensics.sticky.early_stop import best_scores
from forensics.sticky.pairs import pairs_of_sentences
from forensics.sticky.published_scorer import PairBench
from forensics.sticky.published_texts import insertion_slots
from tests.sticky.bag_encoder import WORDS, BagEncoder, english

COPIES = 4
TOKENS = 160
AVAILABLE = {len(WORDS) + i: f"q{i}x" for i in range(TOKENS)}


@pytest.fixture(scope="module")
def bench():
    encoder = BagEncoder.random(TOKENS, seed=5)
    return PairBench.of(encoder, pairs_of_sentences(encoder, english(30, 4), 0.5, 3, "test"))


@pytest.fixture(scope="module")
def every_score(bench):
    places = insertion_slots(TOKENS, bench.words, COPIES, set(range(TOKENS)))
    return {len(WORDS) + k: bench.score(f"q{k}x", slots) for k, slots in places}


def stopped_run(bench, recall=lambda key: None, keep=lambda key, value: None, progress=None):
    return best_scores(
        bench,
        AVAILABLE,
        copies=COPIES,
        percent=5,
        recall=recall,
        keep=keep,
        progress=progress or Progress(),
    )


def best(scores, count):
    known = {i: score for i, score in scores.items() if score is not None}
    return sorted(known.items(), key=lambda item: -item[1])[:count]


def test_the_best_are_known_with_the_scores_of_a_full_run(bench, every_score):
    found = stopped_run(bench)
    assert list(found) == list(AVAILABLE)
    assert best(found, 9) == best(every_score, 9)
    known = {i: score for i, score in found.items() if score is not None}
    assert known == {i: every_score[i] for i in known}
    assert len(known) < TOKENS


def test_a_guess_that_was_too_high_is_found_out(bench, every_score, monkeypatch):
    guesses = iter([np.inf, max(every_score.values()), -np.inf])
    monkeypatch.setattr(early_stop, "first_bar", lambda sample, percent: next(guesses))
    heard = Progress()
    found = stopped_run(bench, progress=heard)
    assert best(found, 9) == best(every_score, 9)
    assert "score again again" in heard.seconds


def test_an_interruption_changes_nothing(bench, monkeypatch):
    class InterruptError(Exception):
        pass

    kept = {}

    def keep_some(key, value):
        if len(kept) == 70:
            raise InterruptError
        kept[key] = value

    with pytest.raises(InterruptError):
        stopped_run(bench, keep=keep_some)
    assert stopped_run(bench, recall=kept.get) == stopped_run(bench)
