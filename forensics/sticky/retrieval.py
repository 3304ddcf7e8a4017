"""What a token does to retrieval: nDCG@10 with the token in the queries, or in the documents sought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.sticky.insertion import Mode, insert_ids
from forensics.sticky.interface import Encoder, Float64Array, TokenIds

__all__ = ["RetrievalDamage", "RetrievalTrial", "ndcg_of_one"]

#: Ranks that count.
DEPTH = 10


@dataclass(frozen=True)
class RetrievalDamage:
    """nDCG@10, mean over queries."""

    #: With the token at the start of every query.
    in_queries: float
    #: With the token at the start of the one document that each query seeks.
    in_documents: float


def ndcg_of_one(similarities: Float64Array, relevant: Sequence[int]) -> float:
    """Return the mean nDCG@10 where each query has one relevant document, `(queries, documents)`.

    With one relevant document the ideal gain is 1, and the gain at rank r (from 0) is 1 / log2(r + 2).
    Documents equally similar to the query stand before it: a tie is not a hit.

    >>> ndcg_of_one(np.array([[0.9, 0.1], [0.8, 0.2]]), [0, 1]).__round__(4)
    0.8155
    """
    own = similarities[np.arange(len(relevant)), list(relevant)]
    rank = (similarities >= own[:, None]).sum(axis=1) - 1
    gain = np.where(rank < DEPTH, 1 / np.log2(rank + 2.0), 0.0)
    return float(gain.mean())


class RetrievalTrial:
    """A retrieval set, embedded once."""

    def __init__(
        self, encoder: Encoder, queries: Sequence[str], documents: Sequence[str], relevant: Sequence[int]
    ) -> None:
        """Embed queries and documents as they are.

        :param relevant: Index of the one relevant document of each query.
        """
        self._encoder = encoder
        self._relevant = list(relevant)
        self._queries, self._documents = encoder.tokenize(queries), encoder.tokenize(documents)
        self._query_vectors = encoder.embed(self._queries).astype(np.float64)
        self._document_vectors = encoder.embed(self._documents).astype(np.float64)

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return len(self._queries)

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    def untouched(self) -> float:
        """Return the nDCG@10 without any token inserted."""
        return ndcg_of_one(self._query_vectors @ self._document_vectors.T, self._relevant)

    def damage(self, token_id: int, copies: int) -> RetrievalDamage:
        """Return the nDCG@10 with `copies` of a token inserted by id."""
        changed = self._embed_with(self._queries, token_id, copies)
        in_queries = ndcg_of_one(changed @ self._document_vectors.T, self._relevant)
        changed = self._embed_with(self._documents, token_id, copies)
        similarities = self._query_vectors @ self._document_vectors.T
        rows = np.arange(len(self._relevant))
        # Only the document sought holds the token; its rivals stay clean.
        own = (self._query_vectors * changed[self._relevant]).sum(axis=1)
        similarities[rows, self._relevant] = own
        return RetrievalDamage(in_queries, ndcg_of_one(similarities, self._relevant))

    def _embed_with(self, contents: Sequence[TokenIds], token_id: int, copies: int) -> Float64Array:
        room = self._encoder.window - copies
        texts = [insert_ids(c[:room], token_id, Mode.PREFIX, (0,) * copies) for c in contents]
        return self._encoder.embed(texts).astype(np.float64)
