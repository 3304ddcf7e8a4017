"""Counts of pairs while the merge list is applied to the text of one category.

Two views of the same thing. `count_merges` keeps what the curve needs: how often every learned pair stood
in the text at its own step, and the pairs left at the end. `pair_events` keeps what the linear program
needs: every change of every pair's count. Both work on distinct pre-tokens, each put through the merges
once (section 3 of Hayase et al. 2024 recounts the text at every step instead).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.mixture.pair_spelling import SpeltWords
from forensics.vocabulary.merge_list import MergeList

__all__ = ["MergeCounts", "PairEvents", "count_merges", "pair_events"]

Int64Array = npt.NDArray[np.int64]

#: Distinct pre-tokens traced at a time: bounds the raw events in memory to some 100 MB.
BLOCK_WORDS = 50_000


@dataclass(frozen=True, eq=False)
class MergeCounts:
    """What one category's text says about every merge, as raw counts."""

    #: Count of the pair of merge t just before it is applied, shape (T,).
    learned: Int64Array
    #: Keys (`left << 32 | right`) of the pairs that stand in the text after the last merge, ascending.
    left_keys: Int64Array
    #: Their counts.
    left_counts: Int64Array
    #: Tokens in the encoded text (unknown characters counted as one each).
    tokens: int


@dataclass(frozen=True, eq=False)
class PairEvents:
    """Every change of a pair's count, sorted by pair and then by step, one event per pair and step."""

    #: Pair keys, shape (E,).
    keys: Int64Array
    #: Before which merge the change is in force, shape (E,); 0 for the untouched text.
    steps: npt.NDArray[np.int32]
    #: The change, shape (E,).
    changes: Int64Array


def count_merges(words: SpeltWords, merges: MergeList) -> MergeCounts:
    """Return how often every learned pair stood in the text, and which pairs are left at the end."""
    from forensics.mixture.kernel import apply_merges, pair_table

    table = pair_table(merges.left, merges.right)
    learned, rest, ends = apply_merges(
        words.flat, words.offsets, words.counts, merges.left, merges.right, merges.result, *table
    )
    word = np.repeat(np.arange(len(words)), np.diff(ends))
    inside = (word[1:] == word[:-1]) & (rest[1:] >= 0) & (rest[:-1] >= 0)
    keys = (rest[:-1][inside].astype(np.int64) << 32) | rest[1:][inside]
    left_keys, left_counts = _summed(keys, words.counts[word[1:][inside]])
    return MergeCounts(learned, left_keys, left_counts, int((np.diff(ends) * words.counts).sum()))


def pair_events(words: SpeltWords, merges: MergeList) -> PairEvents:
    """Return every change of a pair's count while `merges` are applied to `words`."""
    from forensics.mixture.kernel import pair_table, trace_events

    table = pair_table(merges.left, merges.right)
    parts = []
    for start in range(0, max(1, len(words)), BLOCK_WORDS):
        block = words.part(start, min(start + BLOCK_WORDS, len(words)))
        keys, steps, changes = trace_events(
            block.flat, block.offsets, block.counts, merges.left, merges.right, merges.result, *table
        )
        parts.append(_merged(keys, steps, changes))
    if len(parts) == 1:
        return parts[0]
    return _merged(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.changes for part in parts]),
    )


def _merged(keys: Int64Array, steps: npt.NDArray[np.int32], changes: Int64Array) -> PairEvents:
    """Return events with those of the same pair and step added up and the cancelled ones left out."""
    order = np.lexsort((steps, keys))
    keys, steps, changes = keys[order], steps[order], changes[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (steps[1:] != steps[:-1])
    starts = np.flatnonzero(first)
    total = np.add.reduceat(changes, starts) if len(starts) else changes
    kept = total != 0
    return PairEvents(keys[starts][kept], steps[starts][kept], total[kept])


def _summed(keys: Int64Array, counts: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return the distinct keys, ascending, and the sum of the counts of each."""
    distinct, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(sums, place, counts)
    return distinct, sums
