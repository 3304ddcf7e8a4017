"""`Vocabulary`: what every id stands for, one entry per row of the embedding matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.schema.words import Category

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Vocabulary"]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Ids `0 .. n-1`, n being the larger of tokenizer and matrix; every field has one value per id."""

    #: The entry as stored, None for a row without one.
    pieces: tuple[str | None, ...]
    #: The exact bytes, None for a row without a piece.
    bytes: tuple[bytes | None, ...]
    #: The text, None where the bytes are nothing or no valid UTF-8 by themselves.
    text: tuple[str | None, ...]
    #: A `Category` value.
    category: npt.NDArray[np.str_]
    #: Exactly one byte, ASCII and `<0xNN>` entries included.
    is_byte: npt.NDArray[np.bool_]
    #: Declared special, or in a special role (bos, eos, ...).
    is_special: npt.NDArray[np.bool_]
    #: Matched before the algorithm runs.
    is_added: npt.NDArray[np.bool_]
    #: Two or more bytes that are no valid UTF-8 by themselves.
    is_partial_utf8: npt.NDArray[np.bool_]
    #: A `ByteRole` value, empty for all but single bytes.
    byte_role: npt.NDArray[np.str_]
    #: The word by which the files mark the entry as unused, or None.
    reserved: tuple[str | None, ...]
    #: Unicode script of the letters, `Common`, `Mixed`, or empty where there is no text.
    script: npt.NDArray[np.str_]
    #: The left context that reaches the token: empty alone, None if nothing tried does or none was tried.
    context: tuple[str | None, ...]
    #: Token id -> what its text gives in isolation, for tokens that do not give themselves.
    reencoded: Mapping[int, tuple[int, ...]]
    #: Number of ids that the tokenizer has; rows from here on are past the vocabulary.
    tokenizer_size: int

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.pieces)

    def counts(self) -> dict[str, int]:
        """Return the number of tokens per category, and of single bytes, partial UTF-8, unreachable, special.

        `unreachable` counts ordinary tokens of two or more bytes; special tokens that their text does
        not give have a category of their own.
        """
        counts = {str(category): int((self.category == category).sum()) for category in Category}
        unreachable = np.isin(self.category, [Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI])
        return {
            **counts,
            "single_byte": int(self.is_byte.sum()),
            "partial_utf8": int(self.is_partial_utf8.sum()),
            "unreachable": int((unreachable & ~self.is_byte).sum()),
            "special": int(self.is_special.sum()),
        }

    def table(self) -> pd.DataFrame:
        """Return one row per id: the columns of `tokens.parquet` up to `script`, and the rest."""
        import pandas as pd

        reencodes = [
            None if (ids := self.reencoded.get(token_id)) is None else json.dumps(list(ids))
            for token_id in range(len(self))
        ]
        return pd.DataFrame(
            {
                "token_id": np.arange(len(self), dtype=np.int32),
                "piece": pd.Series(["" if piece is None else piece for piece in self.pieces], dtype=object),
                "text": pd.Series(self.text, dtype=object),
                "bytes": pd.Series(self.bytes, dtype=object),
                "category": self.category.astype(object),
                "is_byte": self.is_byte,
                "is_special": self.is_special,
                "is_added": self.is_added,
                "script": self.script.astype(object),
                "reserved": pd.Series(self.reserved, dtype=object),
                "context": pd.Series(self.context, dtype=object),
                "reencodes_to": pd.Series(reencodes, dtype=object),
                "byte_role": self.byte_role.astype(object),
            }
        )
