"""Planted truth: rows that dominate the pooled vector are found, rows that only add noise are not."""

import numpy as np
import pytest

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


def test_the_screen_is_checked_on_the_random_sample(planted_result):
    check = planted_result.screen_check
    assert check["sample"] == 60
    assert check["sticky_missed"] == 0
    assert 0 < check["missed_at_most"] < EXTRA
