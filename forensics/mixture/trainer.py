"""Compiled loops for simulated tokenizers: learning merges from counts, and which word takes which merge.

Importing this module imports numba; the callers do so late. Both work on distinct pre-tokens, so that a
simulation neither keeps text nor cuts it anew. The slow and obvious twin of `learn_merges` is `train` in
tests/mixture/oracle.py. Pair keys are `left << 32 | right`; symbol -1 is unknown and takes part in no pair.
"""

from __future__ import annotations

import heapq

import numba
import numpy as np

from forensics.mixture.kernel import _grown, _joined, _longest, _place, _rank_pairs, _windows

__all__ = ["learn_merges", "trace_words"]

_EMPTY = -1


@numba.njit(cache=True)
def _rehashed(keys, numbers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the table (keys, pair numbers) in twice the space."""
    wider = np.full(2 * len(keys), _EMPTY, dtype=np.int64)
    moved = np.empty(2 * len(keys), dtype=np.int64)
    for at in range(len(keys)):
        if keys[at] != _EMPTY:
            place = _place(keys[at], wider)
            wider[place], moved[place] = keys[at], numbers[at]
    return wider, moved


@numba.njit(cache=True)
def _holds(symbols, start, end, a, b):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for at in range(start, end - 1):  # noqa: SIM110 (compiled code has no any() of a generator)
        if symbols[at] == a and symbols[at + 1] == b:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def learn_merges(flat, offsets, counts, first_new, most):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return (left, right): the pairs that BPE merges, the most frequent first, again and again.

    The merge of step t makes symbol `first_new + t`. Overlapping occurrences are counted (`aaa` holds `aa`
    twice), as trainers count; of equally frequent pairs that of the smallest key is merged.

    :param flat: Symbols of all words, shape (S,).
    :param offsets: Where each word begins, shape (W + 1,).
    :param counts: How often each word occurs, shape (W,), int64.
    :param first_new: The number of the first symbol made.
    :param most: Merges to learn; fewer where no pair is left.
    """
    symbols, ends = flat.copy(), offsets[1:].copy()
    # Table of pairs, and of each its count, the words it stood in (a linked list, whose head is `head`)
    # and the step it last gained at.
    keys, numbers = np.full(4096, _EMPTY, dtype=np.int64), np.empty(4096, dtype=np.int64)
    key_of, total = np.empty(2048, dtype=np.int64), np.zeros(2048, dtype=np.int64)
    head, gained = np.empty(2048, dtype=np.int64), np.empty(2048, dtype=np.int64)
    node_word, node_next = np.empty(len(flat) + 1, dtype=np.int32), np.empty(len(flat) + 1, dtype=np.int64)
    pairs, nodes = 0, 0
    left, right = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    heap = [(np.int64(0), np.int64(0))]
    touched = [np.int64(0) for _ in range(0)]
    learned = -1
    while learned < most:
        # Step -1 enters all words; every later one those that hold the pair.
        node, first_word, stop = -1, 0, len(counts)
        a, b = np.int32(-1), np.int32(-1)
        if learned >= 0:
            negative, key = heapq.heappop(heap)
            if negative == 0:
                break
            pair = numbers[_place(key, keys)]
            if total[pair] != -negative:
                # Stale: it has fallen since; where it rose, a later entry says so.
                if 0 < total[pair] < -negative:
                    heapq.heappush(heap, (-total[pair], key))
                continue
            a, b = np.int32(key >> 32), np.int32(key & 0xFFFFFFFF)
            left[learned], right[learned] = a, b
            node = head[pair]
        made = first_new + learned
        touched.clear()
        word = first_word
        while node >= 0 or (learned < 0 and word < stop):
            if learned < 0:
                w = word
                word += 1
                if counts[w] == 0:
                    continue
            else:
                w = node_word[node]
                node = node_next[node]
                start, end = offsets[w], ends[w]
                if not _holds(symbols, start, end, a, b):
                    continue
                for at in range(start, end - 1):
                    if symbols[at] >= 0 and symbols[at + 1] >= 0:
                        old = (np.int64(symbols[at]) << 32) | np.int64(symbols[at + 1])
                        total[numbers[_place(old, keys)]] -= counts[w]
                ends[w] = _joined(symbols, start, end, a, b, made)
            start, end = offsets[w], ends[w]
            room = end - start
            if nodes + room > len(node_word):
                size = 2 * len(node_word) + room
                node_word, node_next = _grown(node_word, nodes, size), _grown(node_next, nodes, size)
            if pairs + room > len(key_of):
                size = 2 * len(key_of) + room
                key_of, total = _grown(key_of, pairs, size), _grown(total, pairs, size)
                head, gained = _grown(head, pairs, size), _grown(gained, pairs, size)
            while 2 * (pairs + room) > len(keys):
                keys, numbers = _rehashed(keys, numbers)
            for at in range(start, end - 1):
                if symbols[at] < 0 or symbols[at + 1] < 0:
                    continue
                new = (np.int64(symbols[at]) << 32) | np.int64(symbols[at + 1])
                place = _place(new, keys)
                if keys[place] == _EMPTY:
                    keys[place], numbers[place] = new, pairs
                    key_of[pairs], total[pairs], head[pairs], gained[pairs] = new, 0, -1, -2
                    pairs += 1
                number = numbers[place]
                total[number] += counts[w]
                if learned < 0 or symbols[at] == made or symbols[at + 1] == made:
                    node_word[nodes], node_next[nodes], head[number] = w, head[number], nodes
                    nodes += 1
                    if gained[number] != learned:
                        gained[number] = learned
                        touched.append(np.int64(number))
        for number in touched:
            if total[number] > 0:
                heapq.heappush(heap, (-total[number], key_of[number]))
        learned += 1
    return left[: max(learned, 0)].copy(), right[: max(learned, 0)].copy()


@numba.njit(cache=True, nogil=True)
def trace_words(flat, offsets, left, right, result, keys, ranks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return (steps, words, windows, rest, ends): which merge meets which word, and what is left of it.

    `windows[k]` is how often the pair of merge `steps[k]` stands in word `words[k]` just before it is
    applied; the counts of any text made of these words are a sum over it. `rest` and `ends` are those of
    `kernel.apply_merges`.
    """
    never = len(left)
    size = len(flat) + 1
    steps = np.empty(size, dtype=np.int32)
    words = np.empty(size, dtype=np.int32)
    windows = np.empty(size, dtype=np.int32)
    used = 0
    rest = np.empty(len(flat), dtype=np.int32)
    ends = np.zeros(len(offsets), dtype=np.int64)
    longest = _longest(offsets)
    word, order = np.empty(longest, dtype=np.int32), np.empty(longest, dtype=np.int32)
    at = 0
    for w in range(len(offsets) - 1):
        n = offsets[w + 1] - offsets[w]
        word[:n] = flat[offsets[w] : offsets[w + 1]]
        step = _rank_pairs(word, n, keys, ranks, never, -1, order)
        while step != never:
            # A word of n symbols takes n - 1 merges at most, so that `size` is enough.
            steps[used], words[used], windows[used] = step, w, _windows(order, n, step)
            used += 1
            n = _joined(word, 0, n, left[step], right[step], result[step])
            step = _rank_pairs(word, n, keys, ranks, never, step, order)
        rest[at : at + n] = word[:n]
        at += n
        ends[w + 1] = at
    return steps[:used].copy(), words[:used].copy(), windows[:used].copy(), rest[:at].copy(), ends
