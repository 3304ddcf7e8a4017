"""Lines of text as one tokenizer encodes them: ids and the characters that each token covers.

Everything about borders is read from these offsets, never from decoded strings or raw spellings. Several
tokens inside one character share its span. Each line is encoded by itself, without special tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tokenizers

__all__ = ["EncodedText", "encode_lines", "sequence_lengths"]

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EncodedText:
    """m lines and their T tokens, one line's tokens after the other's."""

    #: The lines, as they were given.
    lines: tuple[str, ...]
    #: Token ids, shape (T,).
    ids: Int32Array
    #: First character of every token and the one after its last, within its line, shape (T, 2).
    spans: Int32Array
    #: Where the tokens of line i begin, and in the last place T, shape (m + 1,).
    starts: Int64Array

    @property
    def line_lengths(self) -> Int64Array:
        """Tokens of every line, shape (m,)."""
        return np.diff(self.starts)

    @property
    def line_of_token(self) -> Int64Array:
        """The line of every token, shape (T,)."""
        return np.repeat(np.arange(len(self.lines)), self.line_lengths)

    def ids_of_lines(self) -> list[list[int]]:
        """Return the ids of every line as the `tokenizers` library wants them."""
        return [part.tolist() for part in np.split(self.ids, self.starts[1:-1])]


def encode_lines(encoder: tokenizers.Tokenizer, lines: Sequence[str]) -> EncodedText:
    """Return `lines` encoded one by one.

    :param encoder: The working tokenizer.
    :param lines: At least one line.
    """
    encodings = encoder.encode_batch(list(lines), add_special_tokens=False)
    lengths = np.array([len(encoding) for encoding in encodings], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.empty(starts[-1], dtype=np.int32)
    spans = np.empty((starts[-1], 2), dtype=np.int32)
    for encoding, start, length in zip(encodings, starts.tolist(), lengths.tolist(), strict=False):
        if length:
            ids[start : start + length] = encoding.ids
            spans[start : start + length] = encoding.offsets
    return EncodedText(tuple(lines), ids, spans, starts)


def sequence_lengths(
    encoder: tokenizers.Tokenizer, texts: Sequence[str], special_tokens: bool = False
) -> Int64Array:
    """Return the number of tokens of every text, shape (len(texts),).

    :param encoder: The working tokenizer.
    :param texts: Texts, each encoded by itself.
    :param special_tokens: Whether the tokens that the tokenizer puts around a text are counted.
    """
    encodings = encoder.encode_batch_fast(list(texts), add_special_tokens=special_tokens)
    return np.array([len(encoding) for encoding in encodings], dtype=np.int64)
