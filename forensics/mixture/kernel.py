"""Compiled loops: what a merge list does to many distinct pre-tokens.

Importing this module imports numba; the callers do so late. Every function has a slow and obvious twin in
tests/mixture/oracle.py. Pair keys are `left << 32 | right`. Symbol -1 is a character the tokenizer does
not know; it takes part in no pair.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["apply_merges", "pair_table", "trace_events"]

_EMPTY = -1
#: 2^64 / golden ratio, as a signed number: spreads consecutive keys over the table.
_SPREAD = np.int64(-7046029254386353131)


@numba.njit(cache=True, inline="always")
def _slot(key, mask):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mixed = key * _SPREAD
    return (mixed ^ (mixed >> 29)) & mask


@numba.njit(cache=True, inline="always")
def _place(key, keys):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return where a key is in the table, or where it would be."""
    at = _slot(key, len(keys) - 1)
    while keys[at] != _EMPTY and keys[at] != key:
        at = (at + 1) & (len(keys) - 1)
    return at


@numba.njit(cache=True)
def pair_table(left, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the open-addressing table (keys, ranks) of a merge list; the first of equal pairs wins."""
    size = 16
    while size < 4 * len(left):
        size *= 2
    keys = np.full(size, _EMPTY, dtype=np.int64)
    ranks = np.zeros(size, dtype=np.int32)
    for rank in range(len(left)):
        key = (np.int64(left[rank]) << 32) | np.int64(right[rank])
        at = _place(key, keys)
        if keys[at] == _EMPTY:
            keys[at] = key
            ranks[at] = rank
    return keys, ranks


@numba.njit(cache=True, inline="always")
def _rank(a, b, keys, ranks, never, done):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    if a < 0 or b < 0:
        return never
    key = (np.int64(a) << 32) | np.int64(b)
    at = _slot(key, len(keys) - 1)
    while keys[at] != _EMPTY:
        if keys[at] == key:
            # A merge whose turn has passed is not made up for: the list is applied in order.
            return ranks[at] if ranks[at] > done else never
        at = (at + 1) & (len(keys) - 1)
    return never


@numba.njit(cache=True, inline="always")
def _rank_pairs(word, n, keys, ranks, never, done, order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write the merge of every pair into `order`; return the one whose turn is next, or `never`."""
    step = never
    for i in range(n - 1):
        order[i] = _rank(word[i], word[i + 1], keys, ranks, never, done)
        step = min(step, order[i])
    return step


@numba.njit(cache=True, inline="always")
def _windows(order, n, step):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return how often the pair of a merge stands in a word of `n` symbols, overlapping ones counted."""
    found = 0
    for i in range(n - 1):
        found += order[i] == step
    return found


@numba.njit(cache=True)
def _longest(offsets):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the length of the longest word, 1 at least."""
    longest = 1
    for w in range(len(offsets) - 1):
        longest = max(longest, offsets[w + 1] - offsets[w])
    return longest


@numba.njit(cache=True, inline="always")
def _joined(symbols, start, end, a, b, made):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Join the pair wherever it stands in a word, in place; return the word's new end."""
    read, write = start, start
    while read < end:
        if read < end - 1 and symbols[read] == a and symbols[read + 1] == b:
            symbols[write] = made
            read += 2
        else:
            symbols[write] = symbols[read]
            read += 1
        write += 1
    return write


@numba.njit(cache=True, nogil=True)
def apply_merges(flat, offsets, counts, left, right, result, keys, ranks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return (learned, tokens, rest, ends): counts at every merge, and what is left of every pre-token.

    `learned[t]` is the count of the pair of merge t just before it is applied, overlapping occurrences
    counted (`aaa` holds the pair `aa` twice), as trainers count. `rest[: ends[-1]]` holds the symbols
    that remain, those of pre-token w from `ends[w]` to `ends[w + 1]`.
    """
    never = len(left)
    learned = np.zeros(never, dtype=np.int64)
    rest = np.empty(len(flat), dtype=np.int32)
    ends = np.zeros(len(counts) + 1, dtype=np.int64)
    longest = _longest(offsets)
    word, order = np.empty(longest, dtype=np.int32), np.empty(longest, dtype=np.int32)
    at = 0
    for w in range(len(counts)):
        n = offsets[w + 1] - offsets[w]
        word[:n] = flat[offsets[w] : offsets[w + 1]]
        step = _rank_pairs(word, n, keys, ranks, never, -1, order)
        while step != never:
            learned[step] += _windows(order, n, step) * counts[w]
            n = _joined(word, 0, n, left[step], right[step], result[step])
            step = _rank_pairs(word, n, keys, ranks, never, step, order)
        rest[at : at + n] = word[:n]
        at += n
        ends[w + 1] = at
    return learned, rest[:at].copy(), ends


@numba.njit(cache=True, nogil=True)
def trace_events(flat, offsets, counts, left, right, result, keys, ranks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return (pair keys, steps, changes): every change of a pair's count, in no particular order.

    An event (p, t, d) says that the count of pair p, as it stands before merge t, is d higher than it
    stood before merge t - 1; the counts in the untouched text are events at step 0. A merge at step t
    shows from step t + 1 on.
    """
    never = len(left)
    size = 1024
    out_keys = np.empty(size, dtype=np.int64)
    out_steps = np.empty(size, dtype=np.int32)
    out_changes = np.empty(size, dtype=np.int64)
    used = 0
    longest = _longest(offsets)
    word = np.empty(longest, dtype=np.int32)
    after = np.empty(longest, dtype=np.int32)
    order = np.empty(longest, dtype=np.int32)
    touched = np.empty(longest + 1, dtype=np.uint8)
    fresh = np.empty(longest + 1, dtype=np.uint8)
    for w in range(len(counts)):
        n = offsets[w + 1] - offsets[w]
        word[:n] = flat[offsets[w] : offsets[w + 1]]
        step = _rank_pairs(word, n, keys, ranks, never, -1, order)
        first = True
        while True:
            # Every round emits at most 2 n events.
            if used + 4 * n + 4 > size:
                size = 2 * size + 4 * n + 4
                out_keys, out_steps, out_changes = (
                    _grown(out_keys, used, size),
                    _grown(out_steps, used, size),
                    _grown(out_changes, used, size),
                )
            if first:
                fresh[:n] = 1
                used = _emit(word, fresh, n, 0, counts[w], out_keys, out_steps, out_changes, used)
                first = False
            if step == never:
                break
            j = _apply(word, n, order, step, result[step], after, touched, fresh)
            used = _emit(word, touched, n, step + 1, -counts[w], out_keys, out_steps, out_changes, used)
            used = _emit(after, fresh, j, step + 1, counts[w], out_keys, out_steps, out_changes, used)
            n = j
            word[:n] = after[:n]
            step = _rank_pairs(word, n, keys, ranks, never, step, order)
    return out_keys[:used].copy(), out_steps[:used].copy(), out_changes[:used].copy()


@numba.njit(cache=True)
def _grown(array, used, size):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    wider = np.empty(size, dtype=array.dtype)
    wider[:used] = array[:used]
    return wider


@numba.njit(cache=True)
def _apply(word, n, order, step, made, after, touched, fresh):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Apply one merge to the first `n` symbols of `word`, into `after`; return the new length.

    Marks what was consumed in `touched` and what was made in `fresh`.
    """
    touched[:n] = 0
    i, j = 0, 0
    while i < n:
        if i < n - 1 and order[i] == step:
            after[j] = made
            fresh[j] = 1
            touched[i] = 1
            touched[i + 1] = 1
            i += 2
        else:
            after[j] = word[i]
            fresh[j] = 0
            i += 1
        j += 1
    return j


@numba.njit(cache=True)
def _emit(word, marked, n, step, change, out_keys, out_steps, out_changes, used):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write an event for every pair of which a symbol is marked; return how many events there are then.

    A pair is touched when one of its two symbols is consumed; the others keep their count.
    """
    for i in range(n - 1):
        if (marked[i] or marked[i + 1]) and word[i] >= 0 and word[i + 1] >= 0:
            out_keys[used] = (np.int64(word[i]) << 32) | np.int64(word[i + 1])
            out_steps[used] = step
            out_changes[used] = change
            used += 1
    return used
