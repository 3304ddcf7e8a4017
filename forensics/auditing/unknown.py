"""Which ids stand for text that a tokenizer cannot spell, and whether there is such text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forensics.auditing.encoded_text import EncodedText
from forensics.sources.interface import TokenizerSource

__all__ = ["STRUCK_ABOVE", "is_byte_complete", "is_struck", "unknown_ids", "unknown_share"]

#: Share of unknown tokens above which a language is struck from median and maximum; where there is no
#: unknown token, of dropped characters.
STRUCK_ABOVE = 0.10


class Spelt(Protocol):
    """A vocabulary, of which only the bytes matter here."""

    @property
    def bytes(self) -> Sequence[bytes | None]:
        """The bytes of every id, None for a row without any."""
        ...


def is_byte_complete(vocabulary: Spelt) -> bool:
    """Return whether every byte that occurs in valid UTF-8 is a token by itself."""
    known = {data[0] for data in vocabulary.bytes if data is not None and len(data) == 1}
    # RFC 3629: 0xC0, 0xC1 and 0xF5 to 0xFF are in no valid text.
    return known >= {*range(0xC0), *range(0xC2, 0xF5)}


def unknown_ids(source: TokenizerSource) -> npt.NDArray[np.int32]:
    """Return the ids that the files or the library name as the unknown token, ascending."""
    ids = set(source.special_roles.get("unk", {}).values())
    named = getattr(source.encoder.model, "unk_token", None)
    if isinstance(named, str) and (known := source.encoder.token_to_id(named)) is not None:
        ids.add(known)
    return np.array(sorted(ids), dtype=np.int32)


def unknown_share(encoded: EncodedText, unknown: npt.NDArray[np.int32] | None) -> float | None:
    """Return the share of tokens that are unknown; None where there are none, or no such token.

    :param encoded: The text.
    :param unknown: What `unknown_ids` gives; None for a tokenizer that can spell every byte.
    """
    if unknown is None or not len(unknown) or not len(encoded.ids):
        return None
    return float(np.isin(encoded.ids, unknown).mean())


def is_struck(unknown: float | None, dropped: float) -> bool:
    """Return whether so much of a text is unknown that its length means nothing.

    :param unknown: Share of unknown tokens, None where there is no such token.
    :param dropped: Share of visible characters that no token covers.
    """
    return (dropped if unknown is None else unknown) > STRUCK_ABOVE
