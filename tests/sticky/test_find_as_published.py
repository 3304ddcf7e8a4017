"""`std` against the oracle, and its independence of which tokens are computed and in what pieces."""

import numpy as np
import pytest

from forensics.sticky.find_as_published import PublishedPlan, find_as_published
from forensics.sticky.pairs import pairs_of_sentences
from forensics.sticky.published_scorer import PublishedScorer
from tests.sticky.bag_encoder import WORDS, BagEncoder, english
from tests.sticky.published_oracle import oracle_scores, oracle_validation

COPIES = 8
AVAILABLE = {i: f"q{i - len(WORDS)}x" for i in range(len(WORDS), len(WORDS) + 60)} | {
    # Tokens whose repetition is cut into other tokens, as most are in practice.
    3: WORDS[3],
    7: WORDS[7],
}
AVAILABLE = dict(sorted(AVAILABLE.items()))


@pytest.fixture(scope="module")
def encoder():
    return BagEncoder.random(60, seed=2)


@pytest.fixture(scope="module")
def scorers(encoder):
    sentences = english(30, 4)
    return tuple(
        PublishedScorer.of(encoder, pairs_of_sentences(encoder, sentences, 0.5, count, "test"))
        for count in (3, 12)
    )


@pytest.fixture(scope="module")
def full(scorers):
    return find_as_published(*scorers, PublishedPlan(AVAILABLE, copies=COPIES, shortlist=10))


def test_scores_are_the_oracles(encoder, scorers, full):
    expected = oracle_scores(encoder, AVAILABLE.values(), scorers[0].pairs, COPIES)
    assert list(full.scores) == list(AVAILABLE)
    assert list(full.scores.values()) == pytest.approx(expected, abs=1e-9)


def test_shortlist_and_verdict_are_percentile_and_fence(full):
    scores = np.array(list(full.scores.values()))
    threshold = np.percentile(scores, 90)
    assert full.threshold == threshold
    assert set(full.validation) == {i for i, s in full.scores.items() if s >= threshold}
    low, high = np.percentile(list(full.validation.values()), [25, 75])
    assert full.fence == pytest.approx(high + 0.7 * (high - low))
    assert set(full.sticky) == {i for i, v in full.validation.items() if v > full.fence}


def test_validation_is_the_oracles(encoder, scorers, full):
    expected = oracle_validation(encoder, AVAILABLE.values(), scorers[1].pairs, COPIES)
    by_id = dict(zip(AVAILABLE, expected, strict=True))
    for token_id, value in full.validation.items():
        assert value == pytest.approx(by_id[token_id])


def test_some_tokens_have_exactly_the_numbers_of_a_full_run(scorers, full):
    asked = [*list(full.validation)[:2], 3]
    part = find_as_published(*scorers, PublishedPlan(AVAILABLE, requested=asked, copies=COPIES))
    assert set(part.scores) == set(asked)
    for token_id, score in part.scores.items():
        assert score == full.scores[token_id]
    for token_id in asked[:2]:
        assert part.validation[token_id] == full.validation[token_id]
    assert part.threshold is None and part.fence is None and part.sticky == ()


def test_an_interrupted_run_continues_with_exactly_equal_numbers(scorers, full):
    class InterruptError(Exception):
        pass

    kept = {}

    def keep_some(key, value):
        if len(kept) == 40:
            raise InterruptError
        kept[key] = value

    plan = PublishedPlan(AVAILABLE, copies=COPIES, shortlist=10)
    with pytest.raises(InterruptError):
        find_as_published(*scorers, plan, keep=keep_some)
    assert find_as_published(*scorers, plan, recall=kept.get) == full


def test_early_stop_keeps_shortlist_and_verdict(encoder, scorers, full):
    plan = PublishedPlan(AVAILABLE, copies=COPIES, shortlist=10, early_stop=True)
    before = encoder.texts_encoded
    stopped = find_as_published(*scorers, plan)
    assert stopped.threshold == full.threshold
    assert stopped.validation == full.validation
    assert stopped.sticky == full.sticky
    known = {i: s for i, s in stopped.scores.items() if s is not None}
    assert known == {i: full.scores[i] for i in known}
    assert len(known) < len(AVAILABLE)
    assert encoder.texts_encoded > before
