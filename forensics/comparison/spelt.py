"""All that a comparison asks of a vocabulary: the bytes of its pieces, and which of them are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.spelling import token_bytes

__all__ = ["SpeltPieces", "SpeltVocabulary", "spell"]


class SpeltVocabulary(Protocol):
    """A `Vocabulary`, or what `spell` makes in a fraction of its time: nothing is encoded for it."""

    @property
    def pieces(self) -> Sequence[str | None]:
        """The entry of every id as stored, None for a row without one."""
        ...

    @property
    def bytes(self) -> Sequence[bytes | None]:
        """Its exact bytes."""
        ...

    @property
    def is_added(self) -> npt.NDArray[np.bool_]:
        """Whether it is matched before the algorithm runs, shape (V,)."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class SpeltPieces:
    """The pieces of a tokenizer with their bytes; one value per id."""

    pieces: tuple[str | None, ...]
    bytes: tuple[bytes | None, ...]
    is_added: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.pieces)


def spell(source: TokenizerSource) -> SpeltPieces:
    """Return the bytes of every piece of a tokenizer."""
    is_added = np.zeros(len(source.pieces), dtype=np.bool_)
    is_added[[token.token_id for token in source.added_tokens if token.token_id < len(is_added)]] = True
    return SpeltPieces(tuple(source.pieces), tuple(token_bytes(source)), is_added)
