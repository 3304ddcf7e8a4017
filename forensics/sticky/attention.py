"""Share of the attention that an inserted token takes, layer by layer (Chen et al. 2025, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from forensics.sticky.insertion import Mode, insert_ids
from forensics.sticky.interface import Float32Array, Float64Array, TokenIds

__all__ = ["AttentionEncoder", "attention_share"]


class AttentionEncoder(Protocol):
    """A model that shows its attention."""

    @property
    def before(self) -> tuple[int, ...]:
        """The ids that stand before every text."""
        ...

    @property
    def after(self) -> tuple[int, ...]:
        """The ids that stand after every text."""
        ...

    def attention(self, contents: Sequence[Sequence[int]]) -> list[Float32Array] | None:
        """Return the attention that every position receives, `(layers, positions)` a text, summing to 1."""
        ...


def attention_share(
    encoder: AttentionEncoder, contents: Sequence[TokenIds], token_id: int, copies: int
) -> Float64Array | None:
    """Return the share of attention on the copies of a token, `(layers,)`, mean over texts.

    The copies stand before the text. None for a model that does not show its attention.
    """
    texts = [insert_ids(content, token_id, Mode.PREFIX, (0,) * copies) for content in contents]
    received = encoder.attention(texts)
    if received is None:
        return None
    start = len(encoder.before)
    shares = [layers[:, start : start + copies].sum(axis=1) for layers in received]
    mean: Float64Array = np.mean(shares, axis=0, dtype=np.float64)
    return mean
