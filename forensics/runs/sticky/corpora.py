"""How often the tokens of a `sticky` run occur in the user's text, in all and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.sticky.kept_results import Memory
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sources.texts.corpora import Corpus, find_corpora, read_corpus
from forensics.sticky.occurrence import count_tokens

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Occurrence", "corpus_files", "count_in_corpora", "occurrence_summary"]

#: Heading of the column over all categories; each category's own follows after a colon.
COLUMN = "per_million"


@dataclass(frozen=True, eq=False)
class Occurrence:
    """Counts of every token."""

    #: The categories, sorted.
    categories: tuple[str, ...]
    #: `(categories, rows)`.
    counts: npt.NDArray[np.int64]

    def per_million(self) -> npt.NDArray[np.float64]:
        """Return occurrences per million tokens of each category's text, `(categories, rows)`."""
        totals = self.counts.sum(axis=1, keepdims=True)
        rates: npt.NDArray[np.float64] = 1e6 * self.counts / np.maximum(totals, 1)
        return rates

    def columns(self) -> pd.DataFrame:
        """Return the columns of `tokens.parquet`, one row per token.

        `per_million` is over the text as it is: a large category counts for more than a small one.
        """
        import pandas as pd

        total = self.counts.sum(axis=0)
        table = {"occurrences": total, COLUMN: 1e6 * total / max(int(total.sum()), 1)}
        by_category = zip(self.categories, self.per_million(), strict=True)
        return pd.DataFrame(table | {f"{COLUMN}:{name}": values for name, values in by_category})


def corpus_files(corpora: Sequence[str]) -> list[Path]:
    """Return every file of the categories in `corpora` (`--corpora`).

    :raises BadInputError: If a folder is missing or holds no text.
    """
    return [file for corpus in find_corpora(corpora) for file in corpus.files] if corpora else []


def count_in_corpora(
    encoder: TextEncoder, corpora: Sequence[str], max_bytes: int | None, memory: Memory, progress: Progress
) -> Occurrence:
    """Count every token in the text of every category, one category after the other.

    :param encoder: The model, for its tokenizer and the number of its rows.
    :param corpora: Folders with one file or folder per category, or `demo`.
    :param max_bytes: Text read of each category at most.
    :param memory: Counts of an interrupted run.
    :param progress: Where to report.
    :raises BadInputError: If a file cannot be read, or all text together gives no token.
    """
    found = find_corpora(corpora)
    counts = np.zeros((len(found), encoder.rows), dtype=np.int64)
    with progress.stage("count text", len(found), "categories") as stage:
        for row, corpus in zip(counts, found, strict=True):
            row[:] = _count(encoder, corpus, max_bytes, memory)
            stage.advance()
    if not counts.any():
        raise BadInputError(
            ", ".join(corpora), "its text gives no token", "give text files that are not empty"
        )
    return Occurrence(tuple(corpus.name for corpus in found), counts)


def _count(
    encoder: TextEncoder, corpus: Corpus, max_bytes: int | None, memory: Memory
) -> npt.NDArray[np.int64]:
    key = f"corpus:{corpus.name}"
    kept = memory.recall(key)
    if kept is None:
        found = count_tokens(encoder.source.encoder, read_corpus(corpus, max_bytes), encoder.rows)
        ids = np.flatnonzero(found)
        memory.keep(key, [ids.tolist(), found[ids].tolist()])
        return found
    counts = np.zeros(encoder.rows, dtype=np.int64)
    counts[kept[0]] = kept[1]
    return counts


def occurrence_summary(occurrence: Occurrence, sticky: Sequence[int] | None) -> dict[str, Any]:
    """Return what `summary.json` says of the text: its size, and the sticky tokens' share of it.

    :param sticky: Tokens called sticky; None where there is no verdict.
    """
    ids = list(sticky or ())
    totals = occurrence.counts.sum(axis=1)
    of_sticky = occurrence.counts[:, ids].sum(axis=1)
    whole: dict[str, Any] = {"tokens": int(totals.sum())}
    if sticky is not None:
        whole["sticky_occurring"] = int((occurrence.counts[:, ids].sum(axis=0) > 0).sum())
        whole["sticky_per_million"] = 1e6 * int(of_sticky.sum()) / int(totals.sum())
    whole["categories"] = [
        {"name": name, "tokens": int(total)}
        | ({} if sticky is None else {"sticky_per_million": 1e6 * int(hits) / max(int(total), 1)})
        for name, total, hits in zip(occurrence.categories, totals, of_sticky, strict=True)
    ]
    return whole
