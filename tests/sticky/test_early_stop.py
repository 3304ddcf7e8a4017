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


def stopped_run(bench, recall=lambda key: None, keep=lambda key, value: None, progress=None, percent=5):
    return best_scores(
        bench,
        AVAILABLE,
        copies=COPIES,
        percent=percent,
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


# The sample of 20 holds the best 9 of 160 that the first share asks for, and not the best 81 of the second.
@pytest.mark.parametrize(("percent", "count"), [(5, 9), (50, 81)])
def test_a_guess_that_was_too_high_is_found_out(bench, every_score, monkeypatch, percent, count):
    guesses = iter([np.inf, max(every_score.values()), 0.9 * max(every_score.values())])
    monkeypatch.setattr(early_stop, "guess_bar", lambda sample, share: next(guesses, -np.inf))
    heard = Progress()
    found = stopped_run(bench, progress=heard, percent=percent)
    assert best(found, count) == best(every_score, count)
    assert "score again" in heard.seconds


def test_a_bound_is_never_below_the_score(bench, every_score):
    places = list(insertion_slots(TOKENS, bench.words, COPIES, set(range(0, TOKENS, 4))))
    tokens, slots = [f"q{k}x" for k, _ in places], [at for _, at in places]
    for needed in np.percentile(list(every_score.values()), [20, 60, 95]):
        bounds = bench.upper_bounds(tokens, slots, needed)
        for (k, _), bound in zip(places, bounds, strict=True):
            assert bound >= every_score[len(WORDS) + k]
    assert any(bound < needed for bound in bounds)


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
