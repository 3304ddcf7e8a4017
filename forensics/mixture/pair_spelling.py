"""Pre-tokens as sequences of symbols: the form in which merges are applied to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.vocabulary.merge_list import MergeList

__all__ = ["SpeltWords", "spell_words"]

#: Stands for a character that the tokenizer does not know: no pair reaches across it.
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class SpeltWords:
    """Distinct pre-tokens, as symbol numbers, with their counts."""

    #: All symbols one after the other, shape (S,).
    flat: npt.NDArray[np.int32]
    #: Pre-token w is `flat[offsets[w] : offsets[w + 1]]`, shape (W + 1,).
    offsets: npt.NDArray[np.int64]
    #: How often each occurs, shape (W,).
    counts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def pairs(self) -> int:
        """How many pairs of neighbouring known symbols the text has before any merge."""
        if len(self.flat) < 2:
            return 0
        word = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        neighbours = (word[1:] == word[:-1]) & (self.flat[1:] >= 0) & (self.flat[:-1] >= 0)
        return int(self.counts[word[1:][neighbours]].sum())

    def part(self, start: int, stop: int) -> SpeltWords:
        """Return the pre-tokens from `start` to `stop`."""
        first, last = self.offsets[start], self.offsets[stop]
        return SpeltWords(
            self.flat[first:last], self.offsets[start : stop + 1] - first, self.counts[start:stop]
        )


def spell_words(words: Mapping[str, int], merges: MergeList) -> SpeltWords:
    """Return distinct pre-tokens as symbols of `merges`.

    :param words: Pre-token, in the alphabet of the vocabulary -> how often it occurs.
    :param merges: The merge list whose alphabet is used.
    """
    texts = list(words)
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    # Lone surrogates may come from damaged text; they are unknown characters like any other.
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    table = np.full(max((ord(c) for c in merges.alphabet), default=0) + 2, UNKNOWN, dtype=np.int32)
    for character, number in merges.alphabet.items():
        table[ord(character)] = number
    flat = table[np.minimum(codes, len(table) - 1)]
    if merges.end_of_word:
        symbols = {symbol: number for number, symbol in enumerate(merges.symbols)}
        for at in (offsets[1:] - 1)[lengths > 0]:
            flat[at] = symbols.get(chr(codes[at]) + merges.end_of_word, UNKNOWN)
    counts = np.fromiter(words.values(), dtype=np.int64, count=len(texts))
    return SpeltWords(flat, offsets, counts)
