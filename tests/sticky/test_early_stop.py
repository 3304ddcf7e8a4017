"""The early stop: whichever way its search goes, the shortlist is that of a run that scores every token."""

import pytest

from forensics.progress import Progress
from forensics.sticky import early_stop
from forensics.sticky.early_stop import best_scores
from forensics.sticky.pairs import pairs_of_sentences
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import insertion_slots
from tests.sticky.bag_encoder import WORDS, BagEncoder, english

COPIES = 4
TOKENS = 160
AVAILABLE = {len(WORDS) + i: f"q{i}x" for i in range(TOKENS)}


@pytest.fixture(scope="module")
def scorer():
    encoder = BagEncoder.random(TOKENS, seed=5)
    return PublishedScorer.of(encoder, pairs_of_sentences(encoder, english(30, 4), 0.5, 3, "test"))


@pytest.fixture(scope="module")
def every_score(scorer):
    places = insertion_slots(TOKENS, scorer.words, COPIES, set(range(TOKENS)))
    return {len(WORDS) + k: scorer.score(f"q{k}x", slots) for k, slots in places}


def stopped_run(scorer, recall=lambda key: None, keep=lambda key, value: None, progress=None, percent=5):
    return best_scores(
        scorer,
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


def test_the_best_are_known_with_the_scores_of_a_full_run(scorer, every_score):
    found = stopped_run(scorer)
    assert list(found) == list(AVAILABLE)
    assert best(found, 9) == best(every_score, 9)
    known = {i: score for i, score in found.items() if score is not None}
    assert known == {i: every_score[i] for i in known}
    assert len(known) < TOKENS


@pytest.mark.parametrize(("percent", "count"), [(0.6, 2), (5, 9), (50, 81), (100, 160)])
@pytest.mark.parametrize(("block", "sample"), [(1, 100), (7, 1), (1000, 100)])
def test_the_way_of_the_search_never_moves_the_best(
    scorer, every_score, monkeypatch, percent, count, block, sample
):
    monkeypatch.setattr(early_stop, "BLOCK", block)
    monkeypatch.setattr(early_stop, "SAMPLE", sample)
    assert best(stopped_run(scorer, percent=percent), count) == best(every_score, count)


def test_few_texts_are_enough(scorer):
    encoder, before = scorer.encoder, scorer.encoder.texts_encoded
    stopped_run(scorer)
    searched = encoder.texts_encoded - before
    for k, slots in insertion_slots(TOKENS, scorer.words, COPIES, set(range(TOKENS))):
        scorer.score(f"q{k}x", slots)
    assert searched < 0.7 * (encoder.texts_encoded - before - searched)


def test_the_search_says_beforehand_about_how_many_texts_it_will_take(scorer):
    class Heard(Progress):
        def close_stage(self, stage):
            heard[stage.name] = stage

        def open_stage(self, name, total, unit):
            expected[name] = total
            return super().open_stage(name, total, unit)

    heard, expected = {}, {}
    stopped_run(scorer, progress=Heard())
    assert heard["score"].done == heard["score"].total == expected["score"] == 0  # the sample was everything
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(early_stop, "SAMPLE", 80)
        stopped_run(scorer, progress=Heard())
    assert heard["score"].done == heard["score"].total
    assert heard["score"].done == pytest.approx(expected["score"], rel=0.3)


def test_an_interruption_changes_nothing(scorer, monkeypatch):
    class InterruptError(Exception):
        pass

    monkeypatch.setattr(early_stop, "BLOCK", 16)
    kept = {}

    def keep_some(key, value):
        if len(kept) == 20:
            raise InterruptError
        kept[key] = value

    with pytest.raises(InterruptError):
        stopped_run(scorer, keep=keep_some)
    assert stopped_run(scorer, recall=kept.get) == stopped_run(scorer)
