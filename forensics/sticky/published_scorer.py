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
from forensics.sticky.published_score import (
    MODE_WEIGHTS,
    VALIDATION_WEIGHTS,
    cell_score,
    cell_upper_bound,
    rising_steps,
)
from forensics.sticky.published_texts import modified_texts

__all__ = ["PairBench"]

#: How far distances of one text can be apart that was encoded in two different batches; the last bits of
#: float32 make some 1e-7 of it.
ROUNDING = 1e-6


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

    def upper_bounds(
        self, tokens: Sequence[str], slots: Sequence[Sequence[Sequence[int]]], needed: float
    ) -> list[float]:
        """Return an exact upper bound of each token's score, no sharper than shows that it is below `needed`.

        The texts of all tokens are encoded together, a round at a time, and a token takes part until its
        bound is below `needed`. Most of a score comes from cells without any rise,
        so a cell that has shown one is left alone.

        :param tokens: Their decoded texts.
        :param slots: The places of every token's copies, by pair.
        """
        copies = len(slots[0][0])
        shape = (len(tokens), len(self.pairs), len(Mode))
        texts = [self._texts(token, places) for token, places in zip(tokens, slots, strict=True)]
        bare = 1 - self._vectors(tokens) @ self.first.T  # (tokens, pairs)
        distances = np.full((*shape, copies + 1), np.nan)
        distances[..., 0] = self.start[:, None]
        weights = np.array([MODE_WEIGHTS[mode] for mode in Mode]) / len(self.pairs)
        bounds = np.full(shape, np.inf)
        open_cells = np.ones(shape, dtype=np.bool_)
        for count in _rounds(copies):
            cells = np.argwhere(open_cells).tolist()
            if not cells:
                break
            vectors = self._vectors([texts[t][p][m][count - 1] for t, p, m in cells])
            for (t, p, m), vector in zip(cells, vectors, strict=True):
                distances[t, p, m, count] = 1 - self.first[p] @ vector
                bounds[t, p, m] = cell_upper_bound(distances[t, p, m], float(bare[t, p]), ROUNDING)
                open_cells[t, p, m] = not len(rising_steps(distances[t, p, m], ROUNDING))
            open_cells[(bounds * weights).sum(axis=(1, 2)) < needed] = False
        return [float(bound) for bound in (bounds * weights).sum(axis=(1, 2))]

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
            [modified_texts(token, pair.sentence2, places)[mode] for mode in Mode]
            for pair, places in zip(self.pairs, slots, strict=True)
        ]

    def _vectors(self, texts: Sequence[str]) -> Float64Array:
        """Return unit vectors of texts, `(n, d)`; each sequence of ids is encoded once."""
        contents = self.encoder.tokenize(texts)
        place = {content: k for k, content in enumerate(dict.fromkeys(contents))}
        vectors: Float64Array = self.encoder.embed(list(place)).astype(np.float64)
        return vectors[[place[content] for content in contents]]


def _rounds(copies: int) -> list[int]:
    """Return the numbers of copies in the order they are tried.

    The last distance fixes falls minus rises, the first is as likely as any to show a rise, and one in the
    middle of a gap gives two more chances to see one.
    """
    first = [copies, 1, copies // 2, copies // 4, 3 * copies // 4]
    return list(dict.fromkeys(i for i in (*first, *range(1, copies + 1)) if i > 0))
