"""A bounded sample of a category's text, drawn while it streams past.

Simulations need the text itself and not only its counts, and a category may not fit in memory. What is kept
are blocks of consecutive lines, since neighbours come from one document.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

import numpy as np

__all__ = ["BLOCK_LINES", "MOST_SAMPLE", "sample_blocks"]

#: Lines that are drawn together.
BLOCK_LINES = 50
#: Text kept of a category, bytes of UTF-8. A simulated tokenizer trains on 8 MB at most of all categories
#: together (`bootstrap.MOST_TRAINING`), on one half of this; the other half is counted.
MOST_SAMPLE = 8_000_000


def sample_blocks(
    texts: Iterable[str], seed: int | np.random.SeedSequence = 0, *, most: int = MOST_SAMPLE
) -> str:
    """Return text that holds at most about `most` bytes: blocks drawn at random, in their order.

    Every block has the same chance, wherever it stands; text that fits is returned as it is. Memory: the
    sample, and one piece of text.

    :param texts: The text in pieces of any size, each ending at a line end.
    :param seed: Seed of the draw.
    :param most: Bytes of UTF-8 to keep; a single block above it is cut.
    """
    generator = np.random.default_rng(seed)
    # The blocks of least draws, as a heap with the largest draw in front: (-draw, place, bytes, text).
    kept: list[tuple[float, int, int, str]] = []
    total = 0
    for place, block in enumerate(_blocks(texts)):
        data = block.encode("utf-8", "surrogatepass")
        if len(data) > most:
            block, data = data[:most].decode("utf-8", "ignore"), data[:most]
        heapq.heappush(kept, (-generator.random(), place, len(data), block))
        total += len(data)
        while total > most:
            total -= heapq.heappop(kept)[2]
    return "".join(block for _, _, _, block in sorted(kept, key=lambda each: each[1]))


def _blocks(texts: Iterable[str]) -> Iterator[str]:
    """Yield blocks of consecutive lines."""
    for text in texts:
        lines = text.splitlines(keepends=True)
        for at in range(0, len(lines), BLOCK_LINES):
            yield "".join(lines[at : at + BLOCK_LINES])
