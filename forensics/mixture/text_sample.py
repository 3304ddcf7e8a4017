"""A bounded sample of a category's documents, drawn while they stream past.

Simulations deal documents out, and a category may not fit in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np

__all__ = ["MOST_SAMPLE", "sample_documents"]

#: Text kept of a category, bytes of UTF-8.
MOST_SAMPLE = 8_000_000


def sample_documents(
    documents: Iterable[str], seed: int | np.random.SeedSequence = 0, *, most: int = MOST_SAMPLE
) -> list[str]:
    """Return documents that hold at most about `most` bytes, drawn at random, in their order.

    Every document has the same chance, wherever it stands; documents that fit are all returned. Memory: the
    sample, and one document.

    :param documents: The documents.
    :param seed: Seed of the draw.
    :param most: Bytes of UTF-8 to keep; a single document above it is cut.
    """
    generator = np.random.default_rng(seed)
    # The documents of least draws, as a heap with the largest draw in front: (-draw, place, bytes, text).
    kept: list[tuple[float, int, int, str]] = []
    total = 0
    for place, document in enumerate(documents):
        data = document.encode("utf-8", "surrogatepass")
        if len(data) > most:
            document, data = data[:most].decode("utf-8", "ignore"), data[:most]
        heapq.heappush(kept, (-generator.random(), place, len(data), document))
        total += len(data)
        while total > most:
            total -= heapq.heappop(kept)[2]
    return [document for _, _, _, document in sorted(kept, key=lambda each: each[1])]
