"""How much of the order of two merge lists is the same.

The order in which merges were learned is a fingerprint of the training text. Two lists that grew from one
keep it for whatever they share, so the measure is the longest common order: of the shared merges, taken in
A's order, the longest run (with gaps) that stands in B's order too. Unrelated lists of n merges have about
2 sqrt(n) of it by chance. The common prefix misses what was converted (Llama 3 lists every split of a token,
so it shares one merge with its parent's beginning), and rank correlation is .34 to .79 for strangers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["MergeOrder", "compare_merges", "compare_scores", "longest_common_order", "merges_in_bytes"]

Int64Array = npt.NDArray[np.int64]
BytePair = tuple[bytes, bytes]


@dataclass(frozen=True, eq=False)
class MergeOrder:
    """Two ordered lists (merges, or pieces by score) compared."""

    #: Entries of each, repetitions left out.
    size_a: int
    size_b: int
    #: Entries at the beginning that are the same in both.
    common_prefix: int
    #: Of the shared entries, in A's order, the places in A and in B, both shape (n,).
    ranks_a: Int64Array
    ranks_b: Int64Array
    #: Length of the longest common order.
    common_order: int

    @property
    def shared(self) -> int:
        """Entries that both have."""
        return len(self.ranks_a)

    @property
    def order_share(self) -> float | None:
        """Share of the shared entries in the longest common order, None for none."""
        return self.common_order / self.shared if self.shared else None

    @property
    def by_chance(self) -> float | None:
        """The share that two unrelated orders of so many entries have on average, about 2 / sqrt(n)."""
        return min(1.0, 2 / self.shared**0.5) if self.shared else None


def merges_in_bytes(source: TokenizerSource, vocabulary: Vocabulary) -> list[BytePair]:
    """Return the merges as pairs of bytes, each once, in order; pieces outside the vocabulary as spelt."""
    spelt = {
        piece: data
        for piece, data in zip(vocabulary.pieces, vocabulary.bytes, strict=True)
        if piece is not None and data is not None
    }
    pairs = (
        tuple(spelt.get(part, part.encode("utf-8", "surrogatepass")) for part in merge)
        for merge in source.merges
    )
    return list(dict.fromkeys((left, right) for left, right in pairs))


def compare_merges(
    a: tuple[TokenizerSource, Vocabulary], b: tuple[TokenizerSource, Vocabulary]
) -> MergeOrder | None:
    """Return how much of the order of two merge lists is the same; None if one has no merges.

    :param a: One tokenizer and its vocabulary.
    :param b: The other.
    """
    if not a[0].merges or not b[0].merges:
        return None
    return _compare(merges_in_bytes(*a), merges_in_bytes(*b))


def compare_scores(
    a: tuple[TokenizerSource, Vocabulary], b: tuple[TokenizerSource, Vocabulary]
) -> MergeOrder | None:
    """Return the same for pieces ordered by falling score, as Unigram has them; None if one has no scores."""
    lists = []
    for source, vocabulary in (a, b):
        if source.scores is None:
            return None
        ids = np.argsort(-source.scores, kind="stable").tolist()
        spelt = (vocabulary.bytes[token_id] for token_id in ids if not vocabulary.is_added[token_id])
        lists.append(list(dict.fromkeys((data, b"") for data in spelt if data)))
    return _compare(*lists)


def longest_common_order(ranks: Sequence[int]) -> int:
    """Return the length of the longest increasing subsequence of distinct numbers (patience sorting).

    >>> longest_common_order([3, 1, 2, 5, 4])
    3
    """
    tails: list[int] = []
    for rank in ranks:
        at = bisect_left(tails, rank)
        tails[at : at + 1] = [rank]
    return len(tails)


def _compare(of_a: list[BytePair], of_b: list[BytePair]) -> MergeOrder:
    place = {pair: rank for rank, pair in enumerate(of_b)}
    shared = [(rank, place[pair]) for rank, pair in enumerate(of_a) if pair in place]
    prefix = next(
        (n for n, (one, other) in enumerate(zip(of_a, of_b, strict=False)) if one != other),
        min(len(of_a), len(of_b)),
    )
    ranks_b = [other for _, other in shared]
    return MergeOrder(
        size_a=len(of_a),
        size_b=len(of_b),
        common_prefix=prefix,
        ranks_a=np.array([one for one, _ in shared], dtype=np.int64),
        ranks_b=np.array(ranks_b, dtype=np.int64),
        common_order=longest_common_order(ranks_b),
    )
