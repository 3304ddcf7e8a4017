"""Pairs of complete tokens: what improbable pairs are to be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.improbable_pairs import ImprobablePair
from forensics.vocabulary.spelling import text_of_bytes

if TYPE_CHECKING:
    import tokenizers

__all__ = ["control_pairs", "spell_by_characters"]

#: Characters from here on are of other scripts than Latin, as those of improbable pairs mostly are.
_FIRST_CHARACTER = 0x370
#: Draws per pair wanted, before the search is given up.
_PATIENCE = 200


def control_pairs(
    token_bytes: Sequence[bytes | None], encoder: tokenizers.Tokenizer, count: int, rng: np.random.Generator
) -> list[ImprobablePair]:
    """Return random pairs of complete tokens of other scripts that encoding gives back; fewer if rare.

    :param token_bytes: The exact bytes of every token.
    :param encoder: The working tokenizer.
    :param count: Pairs wanted.
    :param rng: The run's generator.
    """
    texts = {i: text for i, data in enumerate(token_bytes) if (text := text_of_bytes(data)) is not None}
    able = [i for i, text in texts.items() if min(map(ord, text)) > _FIRST_CHARACTER]
    bare = without_automatic_prefix(encoder)
    found: dict[str, ImprobablePair] = {}
    for _ in range(_PATIENCE * count if able else 0):
        if len(found) == count:
            break
        a, b = (able[int(i)] for i in rng.integers(0, len(able), size=2))
        text = texts[a] + texts[b]
        if bare.encode(text, add_special_tokens=False).ids == [a, b]:
            found[text] = ImprobablePair(a, b, text)
    return list(found.values())


def spell_by_characters(text: str, token_bytes: Sequence[bytes | None]) -> tuple[int, ...] | None:
    """Return a text's ids with every character by its own token or else its bytes; None where none spells it.

    :param text: The text.
    :param token_bytes: The exact bytes of every token; of equal ones the first is taken.
    """
    tokens: dict[bytes, int] = {}
    for token, data in enumerate(token_bytes):
        if data:
            tokens.setdefault(data, token)
    ids: list[int] = []
    for character in text:
        whole = character.encode("utf-8")
        parts = [whole] if whole in tokens else [bytes([byte]) for byte in whole]
        if any(part not in tokens for part in parts):
            return None
        ids += [tokens[part] for part in parts]
    return tuple(ids)
