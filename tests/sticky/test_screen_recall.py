"""The estimate of what the screen misses, against worlds in which the truth is known."""

import numpy as np
import pytest

from forensics.sticky.screen_recall import (
    DRAWS,
    below_the_bar,
    chance_to_pass,
    draw_from_bands,
    estimate_recall,
)

MINIMUM = 0.25
#: A token is called sticky from here on.
FOUND = 0.39


def world(seed, noise=0.07):
    """Return screen and effect of 6,000 tokens, 150 of them sticky, and the shortlist of a screen."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(0, 0.08, 6000)
    effect[:150] = rng.uniform(0.3, 0.6, 150)
    screened = effect + rng.normal(0, noise, 6000)
    return dict(enumerate(screened)), effect, [i for i in range(6000) if screened[i] >= MINIMUM]


def recall_of(screened, effect, shortlisted, seed):
    rng = np.random.default_rng(seed)
    sample = rng.choice(6000, 64, replace=False).tolist()
    bands = below_the_bar(screened, shortlisted)
    drawn = draw_from_bands(bands, {*sample, *shortlisted}, rng)
    measured = {*shortlisted, *sample, *drawn}
    sticky = [i for i in measured if effect[i] >= FOUND]
    truth = sum(effect[i] >= FOUND for i in range(6000) if i not in measured)
    found = estimate_recall(bands, screened, {i: effect[i] for i in measured}, sticky, sample)
    return found, truth, drawn, bands


@pytest.mark.parametrize("noise", [0.03, 0.07, 0.1])
def test_bound_covers_the_truth_as_often_as_it_says_and_is_worth_having(noise):
    found = [recall_of(*world(seed, noise), seed)[:2] for seed in range(60)]
    covered = np.mean([truth <= recall.missed_at_most for recall, truth in found])
    assert covered >= 0.9  # 0.95 less two standard errors of 60 worlds
    expected = np.mean([recall.expected_missed for recall, _ in found])
    assert expected == pytest.approx(np.mean([truth for _, truth in found]), abs=0.6)
    # Of 6,000 tokens; a random sample of 164 alone would leave room for 110.
    assert np.mean([recall.missed_at_most for recall, _ in found]) < 8


def test_a_useless_screen_is_told():
    screened, effect, _ = world(0)
    blind = dict(enumerate(np.random.default_rng(5).permutation(list(screened.values()))))
    shortlisted = [i for i in blind if blind[i] >= MINIMUM]
    found, truth, _, _ = recall_of(blind, effect, shortlisted, 0)
    assert truth > 50
    assert found.expected_missed > truth / 3


def test_bands_lie_below_the_bar_in_order_and_hold_every_other_token():
    screened, _, shortlisted = world(1)
    bands = below_the_bar(screened, shortlisted)
    assert [len(band) for band in bands[:2]] == [len(shortlisted), 3 * len(shortlisted)]
    assert sorted([i for band in bands for i in band] + shortlisted) == sorted(screened)
    lows = [min(screened[i] for i in band) for band in bands]
    highs = [max(screened[i] for i in band) for band in bands]
    assert highs[0] < MINIMUM and highs[1] <= lows[0] and highs[2] <= lows[1]


def test_draws_are_new_tokens_of_the_first_two_bands():
    screened, effect, shortlisted = world(2)
    _, _, drawn, bands = recall_of(screened, effect, shortlisted, 3)
    assert [sum(i in set(band) for i in drawn) for band in bands] == [*DRAWS, 0]
    assert len(set(drawn)) == len(drawn)


def test_chance_to_pass_is_the_share_of_tokens_that_pass():
    rng = np.random.default_rng(0)
    effect = rng.normal(0, 0.1, 400)
    screen = 0.02 + effect + rng.normal(0, 0.07, 400)
    for asked in (0.2, 0.3, 0.4):
        passed = 0.02 + asked + rng.normal(0, 0.07, 100_000) >= 0.35
        found = chance_to_pass(np.array([asked]), 0.35, screen, effect)
        assert found[0] == pytest.approx(passed.mean(), abs=0.04)


def test_what_the_draws_find_is_scaled_up_and_counted_once():
    screened = {i: 1 - i / 100 for i in range(100)}
    bands = below_the_bar(screened, range(10))
    effects = {i: screened[i] for i in [*range(10), 11, 12, 13, 14, 30, 60, 70, 80, 90]}
    found = estimate_recall(bands, screened, effects, [0, 1, 11, 12, 14], [60, 70, 80, 90])
    assert found.slipped_by_draws == pytest.approx(3 * 10 / 4)  # three of four measured in a band of ten
    assert found.expected_missed == pytest.approx(7.5 - 3)
    # 7.754 is the 95 % upper limit of a Poisson mean after three events.
    assert found.missed_at_most == np.ceil(7.754 * 2.5) - 3


def test_nothing_found_is_nothing_missed():
    screened = {i: 1 - i / 100 for i in range(100)}
    effects = {i: 0.0 + 0.001 * i for i in [*range(10), 12, 60, 70, 80]}
    found = estimate_recall(below_the_bar(screened, range(10)), screened, effects, [], [12, 60, 70, 80])
    assert (found.expected_missed, found.missed_at_most) == (0, 0)


def test_a_find_that_the_screen_should_not_have_passed_counts_for_much_and_not_for_ever():
    screened = {i: 1 - i / 100 for i in range(100)}
    effects = {i: screened[i] for i in [*range(10), 60, 70, 80]} | {5: -9.0}
    found = estimate_recall(below_the_bar(screened, range(10)), screened, effects, [5], [60, 70, 80])
    assert found.expected_missed == pytest.approx(99)
