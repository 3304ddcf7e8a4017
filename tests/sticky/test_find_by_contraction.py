"""Planted truth: rows that dominate the pooled vector are found, rows that only add noise are not."""

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sticky.find_by_contraction import ContractionPlan, find_by_contraction
from forensics.sticky.probes import build_probe_set
from tests.sticky.bag_encoder import WORDS, BagEncoder, english

EXTRA = 340
FIRST = len(WORDS)
PLANTED = tuple(range(FIRST + 10, FIRST + 22))
NOISY = tuple(range(FIRST + 40, FIRST + 60))


def encoder_with(planted=(), noisy=()):
    encoder = BagEncoder.random(EXTRA, seed=3)
    rng = np.random.default_rng(8)
    pull = rng.normal(size=encoder.rows.shape[1])
    pull /= np.linalg.norm(pull)
    for row in planted:
        encoder.rows[row] = 8 * (pull + 0.02 * rng.normal(size=len(pull)))
    for row in noisy:
        # As long as an ordinary row, in a direction of its own.
        direction = rng.normal(size=len(pull))
        encoder.rows[row] = 1.1 * direction / np.linalg.norm(direction)
    return encoder


def search(encoder, plan, **more):
    sets = tuple(
        build_probe_set(
            encoder, english(80, which), name="test", copies=4, probes=12, screen_probes=4, seed=which
        )
        for which in (0, 1)
    )
    return find_by_contraction(encoder, sets, 0.1, plan, **more)


def plan(**more):
    return ContractionPlan(available=range(FIRST, FIRST + EXTRA), sample=60, **more)


@pytest.fixture(scope="module")
def planted_result():
    return search(encoder_with(PLANTED, NOISY), plan())


def test_planted_tokens_are_found_and_no_others(planted_result):
    found = {i for i, finding in planted_result.findings.items() if finding.sticky}
    assert set(PLANTED) <= found
    # The promise is a share of false discoveries, not none.
    assert len(found - set(PLANTED)) <= 0.05 * len(found)
    assert not found & set(NOISY)


def test_screen_keeps_every_planted_token(planted_result):
    assert set(PLANTED) <= set(planted_result.shortlisted)
    assert len(planted_result.shortlisted) < EXTRA / 2
    assert len(planted_result.screened) == EXTRA


@pytest.mark.parametrize("seed", range(4))
def test_a_model_with_nothing_planted_yields_nothing(seed):
    result = search(encoder_with(noisy=NOISY), plan(seed=seed))
    assert not [i for i, finding in result.findings.items() if finding.sticky]


def test_tokens_asked_for_have_the_numbers_of_a_full_run(planted_result):
    asked = [PLANTED[0], NOISY[0], FIRST + 300]
    part = search(encoder_with(PLANTED, NOISY), plan(requested=asked))
    assert part.shortlisted == tuple(sorted(asked))
    for i in asked:
        assert part.screened[i] == planted_result.screened[i]
        if i in planted_result.findings:
            assert part.findings[i].effect == planted_result.findings[i].effect
            if planted_result.findings[i].confirmation is not None:
                assert part.findings[i].confirmation == planted_result.findings[i].confirmation
    assert part.findings[PLANTED[0]].sticky and not part.findings[NOISY[0]].sticky


def test_an_interrupted_run_continues_with_equal_numbers(planted_result):
    class InterruptError(Exception):
        pass

    kept = {}

    def keep_some(key, value):
        if len(kept) >= 90:
            raise InterruptError
        kept[key] = value

    with pytest.raises(InterruptError):
        search(encoder_with(PLANTED, NOISY), plan(), keep=keep_some)
    before = dict(kept)
    again = search(encoder_with(PLANTED, NOISY), plan(), recall=kept.get)
    assert len(before) == 90
    assert again.screened == planted_result.screened
    assert {i: f.effect for i, f in again.findings.items()} == {
        i: f.effect for i, f in planted_result.findings.items()
    }


def test_what_lies_below_the_bar_is_measured_by_bands(planted_result):
    recall = planted_result.recall
    outside = EXTRA - len(planted_result.shortlisted)
    assert sum(band.tokens for band in recall.bands) == outside
    assert all(band.measured > 0 for band in recall.bands)
    assert sum(band.measured for band in recall.bands) == sum(
        i not in planted_result.shortlisted for i in planted_result.findings
    )
    # All that was planted is shortlisted, so there is nothing left to miss.
    assert recall.missed_at_most == 0


def test_the_least_effect_is_the_given_one_or_that_of_the_rule(planted_result):
    ordinary = planted_result.ordinary[0]
    assert planted_result.minimum_effect == max(0.25, 3 * planted_result.spread)
    assert 0 < ordinary.error < 0.1
    given = search(encoder_with(PLANTED), plan(minimum_effect=0.9))
    assert given.minimum_effect == 0.9
    assert not any(finding.sticky for finding in given.findings.values())


def test_a_model_in_which_every_token_flattens_is_refused():
    encoder = encoder_with(planted=range(FIRST, FIRST + EXTRA))
    encoder.rows[FIRST:] *= 100
    with pytest.raises(BadInputError, match="the median ordinary token leaves a slope"):
        search(encoder, plan())


def test_a_vocabulary_without_ordinary_tokens_is_refused():
    with pytest.raises(BadInputError, match="3 tokens that a text can hold"):
        search(encoder_with(), ContractionPlan(available=range(FIRST, FIRST + 3)))
