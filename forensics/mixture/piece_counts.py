"""How often the pieces of a Unigram or WordPiece vocabulary occur in the text of one category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["LongestMatchCounter", "PieceCounter", "PieceCounts", "UnigramCounter"]

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


class PieceCounter(Protocol):
    """Counts the pieces of one vocabulary in text."""

    def count(self, words: Mapping[str, int]) -> PieceCounts:
        """Return the counts in a text of these distinct pre-tokens, each so often."""


class UnigramCounter:
    """Expected counts of the pieces of a Unigram model, over all ways of cutting every word."""

    def __init__(self, pieces: Sequence[str], scores: FloatArray) -> None:
        """Build what finds the pieces of a word.

        :param pieces: The pieces that the model matches, T of them.
        :param scores: Their log-probabilities, shape (T,).
        """
        from forensics.mixture.lattice import build_trie

        self._trie = build_trie(*_characters(pieces))
        self._scores = scores

    def count(self, words: Mapping[str, int]) -> PieceCounts:
        """See `PieceCounter`."""
        from forensics.mixture.lattice import expected_pieces

        counts = np.fromiter(words.values(), dtype=np.int64, count=len(words))
        unknown = float(self._scores.min()) - UNKNOWN_PENALTY
        texts = _characters(list(words))
        expected, sure, strange = expected_pieces(*texts, counts, *self._trie, self._scores, unknown)
        return PieceCounts(expected, sure, float(expected.sum() + strange))


class LongestMatchCounter:
    """Counts of the pieces of a WordPiece vocabulary: the longest piece from the left, always.

    A word that cannot be cut whole is one unknown token, as in BERT.
    """

    def __init__(self, pieces: Sequence[str], prefix: str = "##") -> None:
        """Number the pieces.

        :param pieces: The vocabulary, T pieces.
        :param prefix: What pieces inside a word are spelt with in front.
        """
        self._number = {piece: at for at, piece in reversed(list(enumerate(pieces)))}
        self._longest = max(map(len, pieces), default=1)
        self._size, self._prefix = len(pieces), prefix

    def count(self, words: Mapping[str, int]) -> PieceCounts:
        """See `PieceCounter`."""
        counts, tokens = np.zeros(self._size), 0
        for word, count in words.items():
            found = _longest_matches(word, self._number, self._longest, self._prefix)
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
