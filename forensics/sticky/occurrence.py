"""How often every token occurs in text, counted with the model's own tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    import tokenizers

__all__ = ["Occurrence", "count_tokens"]

#: Lines handed to the tokenizer at once.
_BATCH = 4096
#: Heading of the column over all categories; each category's own follows after a colon.
_COLUMN = "per_million"


@dataclass(frozen=True, eq=False)
class Occurrence:
    """Counts of every token by category of text."""

    #: The categories, sorted.
    categories: tuple[str, ...]
    #: `(categories, rows)`.
    counts: npt.NDArray[np.int64]

    @property
    def totals(self) -> npt.NDArray[np.int64]:
        """Tokens of each category's text, `(categories,)`."""
        totals: npt.NDArray[np.int64] = self.counts.sum(axis=1)
        return totals

    def columns(self) -> pd.DataFrame:
        """Return counts and rates per million tokens, in all and by category, one row per token.

        The rate in all is over the text as it is: a large category counts for more than a small one.
        """
        import pandas as pd

        whole = self.counts.sum(axis=0)
        table = {"occurrences": whole, _COLUMN: 1e6 * whole / max(int(whole.sum()), 1)}
        rates = 1e6 * self.counts / np.maximum(self.totals[:, None], 1)
        by_category = zip(self.categories, rates, strict=True)
        return pd.DataFrame(table | {f"{_COLUMN}:{name}": values for name, values in by_category})

    def occurring(self, ids: Sequence[int]) -> int:
        """Return how many of these tokens occur at all."""
        return int((self.counts[:, list(ids)].sum(axis=0) > 0).sum())

    def per_million(self, ids: Sequence[int]) -> tuple[float, tuple[float, ...]]:
        """Return occurrences of these tokens together per million, in all and by category."""
        hits = self.counts[:, list(ids)].sum(axis=1)
        rates = 1e6 * hits / np.maximum(self.totals, 1)
        return 1e6 * int(hits.sum()) / max(int(self.totals.sum()), 1), tuple(rates.tolist())


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
