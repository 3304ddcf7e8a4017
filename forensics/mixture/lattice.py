"""Compiled loop: the expected number of times each piece is used, over all ways of cutting every word.

Forward and backward sums over the lattice of a Unigram model (Kudo 2018, arXiv 1804.10959, the E-step of its
EM). Importing this module imports numba; the callers do so late. The slow and obvious twin enumerates all
segmentations: tests/mixture/test_piece_counts.py. The pieces stand in a trie, whose edges are a table of
`node << 32 | character`.
"""

from __future__ import annotations

import numba
import numpy as np

from forensics.mixture.kernel import _longest, _place

__all__ = ["build_trie", "expected_pieces"]

_EMPTY = -1


@numba.njit(cache=True, inline="always")
def _edge(node, character, keys):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return where an edge of the trie is in the table, or where it would be."""
    return _place((np.int64(node) << 32) | np.int64(character), keys)


@numba.njit(cache=True)
def build_trie(flat, offsets):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the trie (keys, children, piece): edges, and the piece that ends at every node or -1.

    :param flat: Characters of all pieces, shape (S,).
    :param offsets: Where each piece begins, shape (T + 1,).
    """
    size = 16
    while size < 4 * len(flat):
        size *= 2
    keys, children = np.full(size, _EMPTY, dtype=np.int64), np.zeros(size, dtype=np.int32)
    piece = np.full(len(flat) + 1, -1, dtype=np.int32)
    nodes = 1
    for t in range(len(offsets) - 1):
        node = 0
        for at in range(offsets[t], offsets[t + 1]):
            place = _edge(node, flat[at], keys)
            if keys[place] == _EMPTY:
                keys[place] = (np.int64(node) << 32) | np.int64(flat[at])
                children[place] = nodes
                nodes += 1
            node = children[place]
        if node > 0:
            piece[node] = t
    return keys, children, piece[:nodes].copy()


@numba.njit(cache=True, inline="always")
def _log_sum(a, b):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    high, low = (a, b) if a > b else (b, a)
    return high if low == -np.inf else high + np.log1p(np.exp(low - high))


@numba.njit(cache=True, nogil=True)
def expected_pieces(flat, offsets, counts, keys, children, piece, score, unknown):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return (expected, sure, strange): the expected count of every piece, and how sure it is.

    `sure` is the sum of the squared probabilities of which `expected` is the sum: sure / expected is how
    probable a piece is, on average, where it is used. `strange` is how many characters are no piece.

    :param flat: Characters of all words, shape (S,).
    :param offsets: Where each word begins, shape (W + 1,).
    :param counts: How often each occurs, shape (W,).
    :param score: Log-probability of every piece, shape (T,).
    :param unknown: Score of a character that is no piece; such a step is not counted as a piece.
    """
    expected, sure, strange = np.zeros(len(score)), np.zeros(len(score)), 0.0
    longest = _longest(offsets)
    forward, backward = np.empty(longest + 1), np.empty(longest + 1)
    for w in range(len(counts)):
        begin, n = offsets[w], offsets[w + 1] - offsets[w]
        forward[: n + 1] = -np.inf
        backward[: n + 1] = -np.inf
        forward[0], backward[n] = 0.0, 0.0
        # Twice over the lattice: once to the end for the sums from the left, once back for those from the
        # right, in which every piece is counted as it is met. The walk down the trie stands here twice, since
        # a function that wrote the pieces down first took twice the time.
        for i in range(n):
            node, single = 0, False
            for j in range(i, n):
                place = _edge(node, flat[begin + j], keys)
                if keys[place] == _EMPTY:
                    break
                node = children[place]
                if piece[node] >= 0:
                    single |= j == i
                    forward[j + 1] = _log_sum(forward[j + 1], forward[i] + score[piece[node]])
            if not single:
                forward[i + 1] = _log_sum(forward[i + 1], forward[i] + unknown)
        whole = forward[n]
        for i in range(n - 1, -1, -1):
            node, single = 0, False
            for j in range(i, n):
                place = _edge(node, flat[begin + j], keys)
                if keys[place] == _EMPTY:
                    break
                node = children[place]
                if piece[node] >= 0:
                    single |= j == i
                    there = score[piece[node]] + backward[j + 1]
                    backward[i] = _log_sum(backward[i], there)
                    probability = np.exp(forward[i] + there - whole)
                    expected[piece[node]] += counts[w] * probability
                    sure[piece[node]] += counts[w] * probability * probability
            if not single:
                there = unknown + backward[i + 1]
                backward[i] = _log_sum(backward[i], there)
                strange += counts[w] * np.exp(forward[i] + there - whole)
    return expected, sure, strange
