"""How often the pieces of a Unigram or WordPiece vocabulary occur in the text of one category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PieceCounts", "expected_counts", "longest_match_counts"]

FloatArray = npt.NDArray[np.float64]

#: How much less probable than the rarest piece a character is that is no piece, as in SentencePiece
#: (unigram_model.cc, `kUnkPenalty`).
UNKNOWN_PENALTY = 10.0


@dataclass(frozen=True, eq=False)
class PieceCounts:
    """What one category's text says about every piece."""

    #: (Expected) count of every piece, shape (T,).
    pieces: FloatArray
    #: That count weighted by how probable the piece is at each place, shape (T,): as high where it is sure.
    sure: FloatArray
    #: Tokens in the encoded text, those of unknown characters among them.
    tokens: float


def expected_counts(words: Mapping[str, int], pieces: Sequence[str], scores: FloatArray) -> PieceCounts:
    """Return the expected counts of the pieces of a Unigram model, over all ways of cutting every word.

    :param words: Distinct pre-tokens -> how often each occurs.
    :param pieces: The pieces that the model matches, T of them.
    :param scores: Their log-probabilities, shape (T,).
    """
    from forensics.mixture.lattice import build_trie, expected_pieces

    counts = np.fromiter(words.values(), dtype=np.int64, count=len(words))
    unknown = float(scores.min()) - UNKNOWN_PENALTY
    trie = build_trie(*_characters(pieces))
    expected, sure, strange = expected_pieces(*_characters(list(words)), counts, *trie, scores, unknown)
    return PieceCounts(expected, sure, float(expected.sum() + strange))


def longest_match_counts(words: Mapping[str, int], pieces: Sequence[str], prefix: str = "##") -> PieceCounts:
    """Return the counts of the pieces of a WordPiece vocabulary: the longest piece from the left, always.

    A word that cannot be cut whole is one unknown token, as in BERT.

    :param words: Distinct pre-tokens -> how often each occurs.
    :param pieces: The vocabulary, T pieces.
    :param prefix: What pieces inside a word are spelt with in front.
    """
    number = {piece: at for at, piece in reversed(list(enumerate(pieces)))}
    longest = max(map(len, pieces), default=1)
    counts, tokens = np.zeros(len(pieces)), 0
    for word, count in words.items():
        found = _longest_matches(word, number, longest, prefix)
        for at in found:
            counts[at] += count
        tokens += count * max(1, len(found))
    return PieceCounts(counts, counts, float(tokens))


def _longest_matches(word: str, number: Mapping[str, int], longest: int, prefix: str) -> list[int]:
    """Return the pieces of a word, none if it cannot be cut."""
    found: list[int] = []
    start = 0
    while start < len(word):
        before = prefix if start else ""
        for stop in range(min(len(word), start + longest), start, -1):
            at = number.get(before + word[start:stop])
            if at is not None:
                found.append(at)
                start = stop
                break
        else:
            return []
    return found


def _characters(texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the characters of all texts one after the other, and where each text begins."""
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.int32)
    return codes, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
