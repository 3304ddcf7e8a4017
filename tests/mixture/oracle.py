"""Slow and obvious twins of the compiled loops: the text is recounted in full at every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

Pair = tuple[str, str]


def pair_counts(words: Mapping[tuple[str, ...], int]) -> Counter[Pair]:
    """Return how often every pair of neighbours stands in the text, overlapping occurrences counted."""
    counts: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            counts[pair] += count
    return counts


def merge_word(word: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    """Return the word with `pair` joined wherever it stands, from the left."""
    out: list[str] = []
    at = 0
    while at < len(word):
        if word[at : at + 2] == pair:
            out.append(pair[0] + pair[1])
            at += 2
        else:
            out.append(word[at])
            at += 1
    return tuple(out)


def replay(
    words: Mapping[str, int], merges: Sequence[Pair]
) -> tuple[list[Counter[Pair]], dict[tuple[str, ...], int]]:
    """Return the counts of all pairs before every merge and after the last, and the text that is left."""
    text: dict[tuple[str, ...], int] = {tuple(word): count for word, count in words.items()}
    before = []
    for pair in merges:
        before.append(pair_counts(text))
        after: Counter[tuple[str, ...]] = Counter()
        for word, count in text.items():
            after[merge_word(word, pair)] += count
        text = dict(after)
    return [*before, pair_counts(text)], text


def train(words: Mapping[str, int], count: int) -> list[Pair]:
    """Return the merges that BPE learns: the most frequent pair, the smallest of equals, again and again."""
    merges: list[Pair] = []
    for _ in range(count):
        counts = replay(words, merges)[0][-1]
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
    return merges
