"""Expected counts of pieces against an enumeration of all ways of cutting a word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.mixture.piece_counts import UNKNOWN_PENALTY, LongestMatchCounter, UnigramCounter
from tests.extras import need

need("numba")


def cuts(word: str, pieces: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield every way of cutting a word; a character that is no piece may stand alone, as unknown."""
    if not word:
        yield ()
    for length in range(1, len(word) + 1):
        part = word[:length]
        if part in pieces or (length == 1):
            for rest in cuts(word[length:], pieces):
                yield (part, *rest)


def enumerated(
    words: dict[str, int], pieces: list[str], scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return expected counts, those weighted by the probability of each place, and tokens."""
    score = dict(zip(pieces, scores.tolist(), strict=True))
    unknown = float(scores.min()) - UNKNOWN_PENALTY
    expected, sure, tokens = np.zeros(len(pieces)), np.zeros(len(pieces)), 0.0
    for word, count in words.items():
        ways = list(cuts(word, pieces))
        weights = np.array([np.exp(sum(score.get(part, unknown) for part in way)) for way in ways])
        places: dict[tuple[int, str], float] = {}
        for way, weight in zip(ways, weights / weights.sum(), strict=True):
            tokens += count * weight * len(way)
            start = 0
            for part in way:
                places[start, part] = places.get((start, part), 0.0) + weight
                start += len(part)
        for (_, part), probability in places.items():
            if part in score:
                expected[pieces.index(part)] += count * probability
                sure[pieces.index(part)] += count * probability**2
    return expected, sure, tokens


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text("abcé", min_size=1, max_size=7), st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.text("abé", min_size=1, max_size=3), unique=True, min_size=1, max_size=7),
    st.integers(0, 99),
)
def test_expected_counts_are_those_of_all_ways_of_cutting(
    words: dict[str, int], pieces: list[str], seed: int
) -> None:
    scores = np.log(np.random.default_rng(seed).dirichlet(np.ones(len(pieces))) + 1e-6)
    found = UnigramCounter(pieces, scores).count(words)
    expected, sure, tokens = enumerated(words, pieces, scores)
    assert found.pieces == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found.sure == pytest.approx(sure, rel=1e-6, abs=1e-9)
    assert found.tokens == pytest.approx(tokens, rel=1e-6)


def test_long_words_do_not_underflow() -> None:
    found = UnigramCounter(["a", "b", "ab"], np.log([0.25, 0.25, 0.5])).count({"ab" * 2_000: 1})
    # Each `ab` is one piece with odds 0.5 to 0.0625.
    assert found.pieces[2] == pytest.approx(2_000 * 0.5 / 0.5625)


def test_the_longest_piece_is_taken_from_the_left_and_what_cannot_be_cut_is_unknown() -> None:
    pieces = ["a", "ab", "##b", "##bc", "##c"]
    found = LongestMatchCounter(pieces).count({"abc": 2, "abbc": 1, "ax": 5, "a": 1})
    assert found.pieces.tolist() == [1, 3, 0, 1, 2]
    assert found.tokens == 2 * 2 + 2 + 5 + 1
