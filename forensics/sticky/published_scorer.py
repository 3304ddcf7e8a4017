"""Score and validate single tokens as the published procedure does, with few and full batches.

A token's texts are encoded in calls of their own, cut in the same way whatever else is computed: its
numbers are the same in a full run, in a part of one and after an interruption, to the last digit. Texts
that become the same ids are encoded once, so a copy that changes nothing is neither a fall nor a rise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Encoder, Float64Array, TokenIds
from forensics.sticky.pairs import SentencePair
from forensics.sticky.published_score import MODE_WEIGHTS, VALIDATION_WEIGHTS, cell_score, cell_upper_bound
from forensics.sticky.published_texts import modified_texts

__all__ = ["PairBench"]

#: Distances of a cell and the bare token's distance -> a score or a bound of it.
Cell = Callable[[Float64Array, float], float]


@dataclass(frozen=True, eq=False)
class PairBench:
    """Sentence pairs, embedded once."""

    encoder: Encoder
    pairs: tuple[SentencePair, ...]
    #: Unit vectors of every sentence 1, `(pairs, d)`.
    first: Float64Array
    #: `d_0` of every pair: 1 - cosine of the untouched sentences.
    start: Float64Array

    @staticmethod
    def of(encoder: Encoder, pairs: Sequence[SentencePair]) -> PairBench:
        """Embed both sentences of every pair."""
        first, second = (
            encoder.embed(encoder.tokenize(texts)).astype(np.float64)
            for texts in ([p.sentence1 for p in pairs], [p.sentence2 for p in pairs])
        )
        return PairBench(encoder, tuple(pairs), first, 1 - (first * second).sum(axis=1))

    @property
    def words(self) -> list[int]:
        """Number of words of every sentence 2."""
        return [len(pair.sentence2.split()) for pair in self.pairs]

    def score(self, token: str, slots: Sequence[Sequence[int]], needed: float | None = None) -> float | None:
        """Return a token's sticky score, or None once it is certain to be below `needed`.

        :param token: Its decoded text.
        :param slots: For every pair, where the copies go.
        :param needed: Stop as soon as an exact upper bound of the score is below this.
        """
        copies = len(slots[0])
        texts = self._texts(token, slots)
        distances = np.full((len(self.pairs), len(Mode), copies + 1), np.nan)
        distances[:, :, 0] = self.start[:, None]
        cache: dict[TokenIds, Float64Array] = {}
        bare = 1 - self.first @ self._vectors([token], cache)[0]  # (pairs,)
        for part in _rounds(copies):
            chosen = [(p, m, i) for p in range(len(self.pairs)) for m in range(len(Mode)) for i in part]
            vectors = self._vectors([texts[p][m][i - 1] for p, m, i in chosen], cache)
            for (p, m, i), vector in zip(chosen, vectors, strict=True):
                distances[p, m, i] = 1 - self.first[p] @ vector
            if needed is not None and self._combine(distances, bare, cell_upper_bound) < needed:
                return None
        return self._combine(distances, bare, cell_score)

    def validate(self, token: str, slots: Sequence[Sequence[int]]) -> float:
        """Return the weighted share of (pair, mode) cells whose mean distance is below `d_0`."""
        texts = self._texts(token, slots)
        vectors = self._vectors([t for by_mode in texts for row in by_mode for t in row], {})
        shape = (len(self.pairs), len(Mode), len(slots[0]), -1)
        after = np.array(vectors).reshape(shape)  # (pairs, modes, copies, d)
        distance = 1 - np.einsum("pd,pmcd->pmc", self.first, after)
        nearer = distance.mean(axis=2) < self.start[:, None]  # (pairs, modes)
        weights = np.array([VALIDATION_WEIGHTS[mode] for mode in Mode])
        return float((nearer * weights).sum() / len(self.pairs))

    def _texts(self, token: str, slots: Sequence[Sequence[int]]) -> list[list[list[str]]]:
        """Return texts by pair, mode and number of copies."""
        return [
            [modified_texts(token, pair.sentence2, places)[mode] for mode in Mode]
            for pair, places in zip(self.pairs, slots, strict=True)
        ]

    def _vectors(self, texts: Sequence[str], cache: dict[TokenIds, Float64Array]) -> list[Float64Array]:
        """Return unit vectors of texts, each sequence of ids encoded once."""
        contents = self.encoder.tokenize(texts)
        new = [content for content in dict.fromkeys(contents) if content not in cache]
        if new:
            cache.update(zip(new, self.encoder.embed(new).astype(np.float64), strict=True))
        return [cache[content] for content in contents]

    def _combine(self, distances: Float64Array, bare: Float64Array, cell: Cell) -> float:
        """Return the weighted mean over cells of `cell`."""
        total = 0.0
        for p in range(len(self.pairs)):
            for m, mode in enumerate(Mode):
                total += MODE_WEIGHTS[mode] * cell(distances[p, m], float(bare[p]))
        return total / len(self.pairs)


def _rounds(copies: int) -> list[list[int]]:
    """Return the numbers of copies in the order they are tried: those first that bound the score best.

    The last distance fixes falls minus rises, and two in between show most rises; the rest only follows
    for tokens that may still score high.
    """
    early = sorted({1, max(1, copies // 2), copies})
    rest = [i for i in range(1, copies + 1) if i not in early]
    return [part for part in (early, rest[::2], rest[1::2]) if part]
