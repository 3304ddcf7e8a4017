"""Which tokens of a vocabulary a text can hold: the rule of either method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.schema.words import Category

if TYPE_CHECKING:
    from forensics.sources.interface import TokenizerSource
    from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["reachable_tokens", "round_trip_tokens"]


def reachable_tokens(vocabulary: Vocabulary) -> list[int]:
    """Return the ids that some text produces, alone or in a context, special tokens included."""
    return [int(i) for i in np.flatnonzero(np.isin(vocabulary.category, [Category.OK, Category.OK_SPECIAL]))]


def round_trip_tokens(source: TokenizerSource) -> dict[int, str]:
    """Return id -> text of the tokens that decode and re-encode to themselves and are not blank.

    This is the authors' rule, with the tokenizer's own decoder; narrower than `reachable_tokens`.
    """
    ids = [i for i, piece in enumerate(source.pieces) if piece is not None]
    texts: Sequence[str] = source.encoder.decode_batch([[i] for i in ids], skip_special_tokens=False)
    encoded = source.encoder.encode_batch(list(texts), add_special_tokens=False)
    return {
        i: text
        for i, text, encoding in zip(ids, texts, encoded, strict=True)
        if text.strip() and encoding.ids == [i]
    }
