"""Put a token into a text, by id: what is inserted is the token and nothing else.

The published procedure repeats the token's string and lets the tokenizer split the result anew
(`published_texts`), after which the token itself is often gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from forensics.sticky.interface import TokenIds

__all__ = ["Mode", "draw_slots", "insert_ids"]


class Mode(StrEnum):
    """Where the copies of a token go."""

    #: All before the text.
    PREFIX = "prefix"
    #: All after it.
    SUFFIX = "suffix"
    #: At random places between its tokens, the same places for every inserted token.
    INSERTION = "insertion"


def draw_slots(length: int, copies: int, seed: Sequence[int]) -> tuple[int, ...]:
    """Return `copies` places `0 .. length` in a text, rising; the seed names the probe, never the token."""
    slots = np.random.default_rng(list(seed)).integers(0, length + 1, size=copies)
    return tuple(sorted(int(slot) for slot in slots))


def insert_ids(content: TokenIds, token_id: int, mode: Mode, slots: Sequence[int]) -> TokenIds:
    """Return `content` with `len(slots)` copies of a token in it.

    >>> insert_ids((1, 2), 9, Mode.PREFIX, (0, 1)), insert_ids((1, 2), 9, Mode.INSERTION, (0, 1))
    ((9, 9, 1, 2), (9, 1, 9, 2))
    """
    copies = (token_id,) * len(slots)
    if mode is Mode.PREFIX:
        return (*copies, *content)
    if mode is Mode.SUFFIX:
        return (*content, *copies)
    out: list[int] = []
    start = 0
    for slot in sorted(slots):
        out += [*content[start:slot], token_id]
        start = slot
    return (*out, *content[start:])
