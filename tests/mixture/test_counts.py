"""Counts of pairs while merges are applied, against a recount of the whole text at every step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.mixture.counts import count_merges, pair_events
from forensics.mixture.pair_spelling import spell_words
from forensics.vocabulary.merge_list import MergeList, build_merge_list
from tests.mixture import oracle

WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=6)


def symbols(merges: MergeList, key: int) -> tuple[str, str]:
    return merges.symbols[key >> 32], merges.symbols[key & 0xFFFFFFFF]


def assert_same_as_recount(words: dict[str, int], pairs: list[tuple[str, str]]) -> None:
    merges = build_merge_list(pairs, ["a", "b", "c"])
    listed = [merges.pair(step) for step in range(len(merges))]
    before, text = oracle.replay(words, listed)
    spelt = spell_words(words, merges)
    found = count_merges(spelt, merges)
    assert found.learned.tolist() == [before[step][pair] for step, pair in enumerate(listed)]
    left = {
        symbols(merges, key): n
        for key, n in zip(found.left_keys.tolist(), found.left_counts.tolist(), strict=True)
    }
    assert left == dict(before[-1])
    assert found.tokens == sum(len(word) * count for word, count in text.items())
    events = pair_events(spelt, merges)
    running: dict[tuple[str, str], int] = {}
    by_step: dict[int, list[tuple[tuple[str, str], int]]] = {}
    for key, step, change in zip(
        events.keys.tolist(), events.steps.tolist(), events.changes.tolist(), strict=True
    ):
        by_step.setdefault(step, []).append((symbols(merges, key), change))
    for step, counts in enumerate(before):
        for pair, change in by_step.get(step, []):
            running[pair] = running.get(pair, 0) + change
        assert {pair: count for pair, count in running.items() if count} == dict(counts), (
            f"before merge {step}"
        )


@settings(max_examples=150, deadline=None)
@given(WORDS, st.integers(0, 12))
def test_counts_of_a_learned_list_equal_a_recount_at_every_step(words: dict[str, int], count: int) -> None:
    assert_same_as_recount(words, oracle.train(words, count))


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS, st.integers(0, 12))
def test_counts_of_a_list_learned_elsewhere_equal_a_recount(
    words: dict[str, int], elsewhere: dict[str, int], count: int
) -> None:
    assert_same_as_recount(words, oracle.train(elsewhere, count))


@pytest.mark.parametrize("word", ["aa", "aaa", "aaaa", "aaaaaaa", "abababa", "aabaaab"])
def test_overlapping_repeats(word: str) -> None:
    assert_same_as_recount({word: 3}, [("a", "a"), ("aa", "a"), ("aa", "aa"), ("aa", "b")])


def test_a_pair_in_a_run_is_counted_with_its_overlaps() -> None:
    merges = build_merge_list([("a", "a")], ["a"])
    # aaa holds aa twice and is merged once: trainers compare the former.
    found = count_merges(spell_words({"aaa": 10}, merges), merges)
    assert found.learned.tolist() == [20]
    assert found.tokens == 20


def test_no_pair_reaches_across_an_unknown_character() -> None:
    merges = build_merge_list([("a", "b")], ["a", "b"])
    spelt = spell_words({"aXb": 7, "ab": 1}, merges)
    assert spelt.pairs == 1
    assert count_merges(spelt, merges).learned.tolist() == [1]
    # ab appears once at the start and is gone after its merge; aX and Xb never appear.
    assert pair_events(spelt, merges).changes.tolist() == [1, -1]


def test_the_text_of_no_word_has_no_counts() -> None:
    merges = build_merge_list([("a", "b")], ["a", "b"])
    found = count_merges(spell_words({}, merges), merges)
    assert found.learned.tolist() == [0]
    assert len(found.left_keys) == 0


def test_the_end_of_a_word_is_a_symbol_of_its_own() -> None:
    merges = build_merge_list([("a", "b</w>")], ["a", "b"], end_of_word="</w>")
    found = count_merges(spell_words({"ab": 2, "aba": 5}, merges), merges)
    assert np.array_equal(found.learned, [2])
