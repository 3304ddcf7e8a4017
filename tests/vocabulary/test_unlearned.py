"""Merges and tokens put in by hand, planted into a trained tokenizer."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.pretokens import PretokenCounts
from forensics.sources import open_tokenizer
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.vocabulary.merge_list import MergeList, build_merge_list, merge_list_of
from forensics.vocabulary.splitting import splitter_of
from forensics.vocabulary.unlearned import find_unlearned, merges_by_hand, set_aside

ALPHABET = list(CHARACTER_OF_BYTE.values())
SPACE = CHARACTER_OF_BYTE[0x20]


def ladder(symbol: str, top: int) -> list[tuple[str, str]]:
    """Return merges that make runs of 2 to `top` symbols, one after the other."""
    return [(symbol * (length - 1), symbol) for length in range(2, top + 1)]


def made_by_hand(pairs: list[tuple[str, str]], **options) -> list[str]:
    merges = build_merge_list(pairs, ALPHABET)
    chosen = merges_by_hand(merges, byte_level=True, **options)
    return [merges.symbols[number] for number in merges.result[chosen].tolist()]


LEARNED = [("t", "h"), ("th", "e"), (SPACE, "the"), ("i", "n"), ("in", "g"), ("e", "r")]


@pytest.mark.parametrize("place", [0, 3, len(LEARNED)])
@pytest.mark.parametrize("symbol", [SPACE, CHARACTER_OF_BYTE[0x09], CHARACTER_OF_BYTE[0x0A]])
def test_a_ladder_of_whitespace_is_found_wherever_it_stands(place: int, symbol: str) -> None:
    pairs = [*LEARNED[:place], *ladder(symbol, 12), *LEARNED[place:]]
    assert made_by_hand(pairs) == [symbol * length for length in range(2, 13)]


def test_learned_runs_are_no_ladder() -> None:
    # As in GPT-NeoX's and Qwen3's lists: runs double, with other merges between them.
    doubled = [(SPACE * n, SPACE * n) for n in (1, 2, 4, 8)]
    assert made_by_hand([*doubled[:2], LEARNED[0], *doubled[2:], *LEARNED[1:]]) == []
    # Runs of letters and dashes come close together too, and are learned.
    assert made_by_hand([("-" * n, "-" * n) for n in (1, 2, 4, 8, 16, 32, 64, 128)]) == []


def test_numbers_in_rising_order_are_found_and_numbers_in_any_other_are_not() -> None:
    rising = [(str(tens), str(ones)) for tens in range(1, 4) for ones in range(10)]
    assert made_by_hand([*LEARNED, *rising]) == [str(number) for number in range(10, 40)]
    generator = np.random.default_rng(0)
    shuffled = [rising[at] for at in generator.permutation(len(rising))]
    assert made_by_hand([*LEARNED, *shuffled]) == []


def test_a_merge_that_makes_a_declared_token_is_by_hand() -> None:
    assert made_by_hand([*LEARNED, ("<", "t"), ("<t", ">")], declared=["<t>"]) == ["<t>"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(2, 12))
def test_ladders_are_what_a_plain_count_finds(kinds: list[int], top: int) -> None:
    """The oracle: for every merge, how many neighbours on both sides make runs of the same character."""
    pairs, climbed = [], {SPACE: 1, "-": 1}
    for at, kind in enumerate(kinds):
        symbol = SPACE if kind < 3 else "-"
        pairs.append((symbol * climbed[symbol], symbol))
        climbed[symbol] += 1
        if at % 13 == 12:
            pairs.append(LEARNED[at // 13])
    merges = build_merge_list(pairs, ALPHABET)
    made = [merges.symbols[number] for number in merges.result.tolist()]
    expected = []
    for at, piece in enumerate(made):
        first = last = at
        while first > 0 and set(made[first - 1]) == {SPACE}:
            first -= 1
        while last + 1 < len(made) and set(made[last + 1]) == {SPACE}:
            last += 1
        expected.append(set(piece) == {SPACE} and last - first + 1 >= 6)
    assert merges_by_hand(merges, byte_level=True).tolist() == expected


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a trained tokenizer with merges and tokens put in by hand."""
    folder = tmp_path_factory.mktemp("planted")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    text = ["the cat sat on the mat and the other cat sat in 1999\n"] * 20
    trainer = trainers.BpeTrainer(vocab_size=290, initial_alphabet=ALPHABET, show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    content = json.loads(tokenizer.to_str())
    merges = [tuple(pair) for pair in content["model"]["merges"]]
    by_hand = ladder(SPACE, 9)
    unformable = [("e", SPACE), (f"e{SPACE}", "c")]  # no pre-token of GPT-2's pattern holds a space inside
    merges = [*by_hand, *merges, merges[0], *unformable]
    vocab = {symbol: number for number, symbol in enumerate(ALPHABET)}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    for added in ("<tool>", "pasted", "in_later"):
        vocab[added] = len(vocab)
    content["model"] |= {"merges": [list(pair) for pair in merges], "vocab": vocab}
    declared = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    content["added_tokens"] = [{"id": vocab["<tool>"], "content": "<tool>", **declared}]
    (folder / "tokenizer.json").write_text(json.dumps(content))
    return folder


def test_everything_planted_is_found_and_nothing_else(planted: Path) -> None:
    source = open_tokenizer(planted)
    merges = merge_list_of(source)
    assert merges.dropped == {"repeated": 1}
    found = find_unlearned(source, merges, splitter_of(source, merges))
    assert np.flatnonzero(found.by_hand).tolist() == list(range(8))
    assert [merges.pair(step) for step in np.flatnonzero(found.unformable)] == [
        ("e", SPACE),
        (f"e{SPACE}", "c"),
    ]
    assert found.added_declared == ("<tool>",)
    assert found.added_undeclared == ("pasted", "in_later")
    assert found.duplicate_pieces == ()


def test_what_is_set_aside_is_carried_along_and_cut_with_the_list(planted: Path) -> None:
    source = open_tokenizer(planted)
    merges = merge_list_of(source)
    assert not merges.aside.any()
    aside: MergeList = set_aside(merges, find_unlearned(source, merges, splitter_of(source, merges)))
    assert aside.aside.sum() == 10
    assert aside.head(10).aside.tolist() == [True] * 8 + [False] * 2
    assert aside.head(0).aside.shape == (0,)
    assert [aside.pair(step) for step in range(len(aside))] == [merges.pair(s) for s in range(len(merges))]


def test_what_is_set_aside_is_applied_and_enters_no_fit() -> None:
    merges = build_merge_list([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")], list("abcd"))
    aside = dataclasses.replace(merges, aside=np.array([True, False, False, False]))
    texts = [PretokenCounts("one", {"abc": 5, "cd": 3}, 21), PretokenCounts("two", {"ad": 4, "bc": 1}, 10)]
    found = infer_proportions(texts, aside, InferencePlan(explain=0))
    assert found.merges_used == 3
    assert found.steps.tolist() == [1, 2, 3]
    # `ab` was merged before: only the second text still holds `b` + `c`, once in ten bytes.
    assert found.counts[0] == pytest.approx(found.proportions["two"] / 10)
    every = infer_proportions(texts, merges, InferencePlan(explain=0))
    assert (every.merges_used, every.steps.tolist()) == (4, [0, 1, 2, 3])
    absent = dataclasses.replace(merges, aside=np.array([False, True, False, False]))
    only = [PretokenCounts("one", {"ab": 5, "cd": 3}, 16), PretokenCounts("two", {"ad": 4, "ab": 1}, 10)]
    assert infer_proportions(only, merges, InferencePlan(explain=0)).missing_merges == 1
    assert infer_proportions(only, absent, InferencePlan(explain=0)).missing_merges == 0
