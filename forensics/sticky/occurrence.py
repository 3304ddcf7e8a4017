"""How often every token occurs in text, counted with the model's own tokenizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tokenizers

__all__ = ["count_tokens"]

#: Lines handed to the tokenizer at once.
_BATCH = 4096


def count_tokens(tokenizer: tokenizers.Tokenizer, pieces: Iterable[str], rows: int) -> npt.NDArray[np.int64]:
    """Return how often each token stands in a text, shape `(rows,)`; special tokens are not added.

    Every line is encoded by itself and whole: a text longer than the model's window would be cut there, and
    where depends on how its reader cuts documents.

    :param tokenizer: The working tokenizer, without truncation.
    :param pieces: The text, in pieces that end at a line end; only one is held at a time.
    :param rows: Rows of the embedding.
    """
    counts = np.zeros(rows, dtype=np.int64)
    for piece in pieces:
        lines = piece.splitlines(keepends=True)
        for start in range(0, len(lines), _BATCH):
            encodings = tokenizer.encode_batch_fast(lines[start : start + _BATCH], add_special_tokens=False)
            ids = np.fromiter((i for encoding in encodings for i in encoding.ids), dtype=np.int64)
            counts += np.bincount(ids, minlength=rows)[:rows]
    return counts
