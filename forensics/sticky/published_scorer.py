"""Score and validate single tokens as the published procedure does, with few and full batches.

A token's score and validation come from texts encoded in calls of their own, cut in the same way whatever
else is computed: they are the same in a full run, in a part of one and after an interruption, to the last
digit. Texts that become the same ids are encoded once, so a copy that changes nothing is neither a fall nor
a rise. Only the early stop, which decides whether a score is needed at all, encodes many tokens together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Encoder, Float64Array
from forensics.sticky.pairs import SentencePair
from forensics.sticky.published_score import MODE_WEIGHTS, VALIDATION_WEIGHTS, cell_score
from forensics.sticky.published_texts import modified_texts

__all__ = ["PublishedScorer"]


@dataclass(frozen=True, eq=False)
class PublishedScorer:
    """Sentence pairs, embedded once."""

    encoder: Encoder
    pairs: tuple[SentencePair, ...]
    #: Unit vectors of every sentence 1, `(pairs, d)`.
    first: Float64Array
    #: `d_0` of every pair: 1 - cosine of the untouched sentences.
    start: Float64Array

    @staticmethod
    def of(encoder: Encoder, pairs: Sequence[SentencePair]) -> PublishedScorer:
        """Embed both sentences of every pair."""
        first, second = (
            encoder.embed(encoder.tokenize(texts)).astype(np.float64)
            for texts in ([p.sentence1 for p in pairs], [p.sentence2 for p in pairs])
        )
        return PublishedScorer(encoder, tuple(pairs), first, 1 - (first * second).sum(axis=1))

    @property
    def words(self) -> list[int]:
        """Number of words of every sentence 2."""
        return [len(pair.sentence2.split()) for pair in self.pairs]

    def score(self, token: str, slots: Sequence[Sequence[int]]) -> float:
        """Return a token's sticky score.

        :param token: Its decoded text.
        :param slots: For every pair, where the copies go.
        """
        texts = self._texts(token, slots)
        vectors = self._vectors([token, *(t for by_mode in texts for row in by_mode for t in row)])
        bare = 1 - self.first @ vectors[0]  # (pairs,)
        after = vectors[1:].reshape(len(self.pairs), len(Mode), len(slots[0]), -1)
        total = 0.0
        for p, start in enumerate(self.start):
            for m, mode in enumerate(Mode):
                distances = np.concatenate([[start], 1 - after[p, m] @ self.first[p]])
                total += MODE_WEIGHTS[mode] * cell_score(distances, float(bare[p]))
        return total / len(self.pairs)

    def bare(self, tokens: Sequence[str]) -> Float64Array:
        """Return 1 - cosine of each token by itself and sentence 1 of each pair, `(tokens, pairs)`."""
        return 1 - self._vectors(tokens) @ self.first.T

    def distances(self, texts: Sequence[str], pairs: Sequence[int]) -> Float64Array:
        """Return 1 - cosine of each text and sentence 1 of its pair, encoded together, `(n,)`.

        :param pairs: For every text its pair.
        """
        distances: Float64Array = 1 - (self._vectors(texts) * self.first[list(pairs)]).sum(axis=1)
        return distances

    def validate(self, token: str, slots: Sequence[Sequence[int]]) -> float:
        """Return the weighted share of (pair, mode) cells whose mean distance is below `d_0`."""
        texts = self._texts(token, slots)
        vectors = self._vectors([t for by_mode in texts for row in by_mode for t in row])
        after = vectors.reshape(len(self.pairs), len(Mode), len(slots[0]), -1)  # (pairs, modes, copies, d)
        distance = 1 - np.einsum("pd,pmcd->pmc", self.first, after)
        nearer = distance.mean(axis=2) < self.start[:, None]  # (pairs, modes)
        weights = np.array([VALIDATION_WEIGHTS[mode] for mode in Mode])
        return float((nearer * weights).sum() / len(self.pairs))

    def _texts(self, token: str, slots: Sequence[Sequence[int]]) -> list[list[list[str]]]:
        """Return texts by pair, mode and number of copies."""
        return [
            list(modified_texts(token, pair.sentence2, places).values())
            for pair, places in zip(self.pairs, slots, strict=True)
        ]

    def _vectors(self, texts: Sequence[str]) -> Float64Array:
        """Return unit vectors of texts, `(n, d)`; each sequence of ids is encoded once."""
        contents = self.encoder.tokenize(texts)
        place = {content: k for k, content in enumerate(dict.fromkeys(contents))}
        vectors: Float64Array = self.encoder.embed(list(place)).astype(np.float64)
        return vectors[[place[content] for content in contents]]
