"""The compiled trainer of simulations against its slow twin, and words traced against counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.mixture.counts import count_merges
from forensics.mixture.pair_spelling import spell_words
from forensics.vocabulary.merge_list import build_merge_list
from tests.extras import need
from tests.mixture.oracle import Pair, replay

need("numba")

ALPHABET = "abc"
#: A list without merges of use: only its alphabet is needed.
ATOMS = build_merge_list([("a", "b")], list(ALPHABET))
WORDS = st.dictionaries(st.text(ALPHABET, min_size=1, max_size=9), st.integers(1, 50), min_size=1, max_size=8)


def learned(words: dict[str, int], most: int) -> list[Pair]:
    from forensics.mixture.trainer import learn_merges

    spelt = spell_words(words, ATOMS)
    left, right = learn_merges(spelt.flat, spelt.offsets, spelt.counts, len(ALPHABET), most)
    names, pairs = list(ALPHABET), []
    for pair in zip(left.tolist(), right.tolist(), strict=True):
        pairs.append((names[pair[0]], names[pair[1]]))
        names.append("".join(pairs[-1]))
    return pairs


@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_every_merge_is_a_most_frequent_pair_of_the_text_at_its_step(words: dict[str, int]) -> None:
    pairs = learned(words, 12)
    made = [first + second for first, second in pairs]
    if len(set(made)) < len(made):
        return  # two ways of making one piece are two symbols here and one in the twin
    before, _ = replay(words, pairs)
    for counts, pair in zip(before, pairs, strict=False):
        assert counts[pair] == max(counts.values())
    if len(pairs) < 12:
        assert not before[-1]


def test_merges_are_learned_until_no_pair_is_left() -> None:
    assert learned({"ab": 3, "c": 9}, 10) == [("a", "b")]
    assert learned({"a": 3}, 10) == []
    assert learned({"ab": 3, "cb": 2}, 1) == [("a", "b")]


def test_unknown_characters_and_absent_words_take_no_part() -> None:
    from forensics.mixture.trainer import learn_merges

    spelt = spell_words({"axb": 9, "ab": 0, "bc": 1}, ATOMS)
    left, right = learn_merges(spelt.flat, spelt.offsets, spelt.counts, 3, 5)
    assert (left.tolist(), right.tolist()) == ([1], [2])


@pytest.mark.parametrize("seed", range(3))
def test_large_texts_outgrow_every_table(seed: int) -> None:
    generator = np.random.default_rng(seed)
    words = {
        "".join(generator.choice(list(ALPHABET), size=int(generator.integers(2, 30)))): int(number) + 1
        for number in generator.integers(0, 1000, 600)
    }
    pairs = learned(words, 60)
    before, _ = replay(words, pairs[:60])
    made = [first + second for first, second in pairs]
    unique = next((at for at in range(len(made)) if made[at] in made[:at]), len(made))
    assert all(before[at][pairs[at]] == max(before[at].values()) for at in range(unique))


@settings(max_examples=100, deadline=None)
@given(WORDS, st.lists(st.sampled_from(["ab", "bc", "aa", "ca"]), unique=True, max_size=4))
def test_words_traced_add_up_to_the_counts_of_the_text(words: dict[str, int], pieces: list[str]) -> None:
    from forensics.mixture.kernel import pair_table
    from forensics.mixture.trainer import trace_words

    merges = build_merge_list([(piece[0], piece[1]) for piece in pieces], list(ALPHABET))
    spelt = spell_words(words, merges)
    table = pair_table(merges.left, merges.right)
    steps, word, windows, rest, ends = trace_words(
        spelt.flat, spelt.offsets, merges.left, merges.right, merges.result, *table
    )
    whole = count_merges(spelt, merges)
    counts = np.zeros(len(merges), dtype=np.int64)
    np.add.at(counts, steps, windows * spelt.counts[word])
    assert counts.tolist() == whole.learned.tolist()
    assert int((np.diff(ends) * spelt.counts).sum()) == whole.tokens
    assert len(rest) == ends[-1]
