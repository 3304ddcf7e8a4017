"""Which ids stand for text that a tokenizer cannot spell, and whether there is such text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["is_byte_complete", "unknown_ids"]


def is_byte_complete(vocabulary: Vocabulary) -> bool:
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
