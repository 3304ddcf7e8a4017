"""The user's text in a `sticky` run: found, counted category by category, kept in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.schema.sticky import CategoryOccurrence, CorporaSummary
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.sticky.occurrence import Occurrence, count_tokens

__all__ = ["corpora_summary", "corpus_files", "count_in_corpora"]


def corpus_files(corpora: Sequence[Corpus]) -> dict[str, Sequence[Path]]:
    """Return what the text is for, by category -> its files."""
    return {f"text {corpus.name}": corpus.files for corpus in corpora}


def count_in_corpora(
    encoder: TextEncoder,
    corpora: Sequence[Corpus],
    max_bytes: int | None,
    journal: Journal,
    progress: Progress,
) -> Occurrence:
    """Count every token in the text of every category, one category after the other.

    :param encoder: The model, for its tokenizer and the number of its rows.
    :param corpora: The categories.
    :param max_bytes: Text read of each category at most.
    :param journal: Counts of an interrupted run.
    :param progress: Where to report.
    :raises BadInputError: If a file cannot be read, or all text together gives no token.
    """
    counts = np.zeros((len(corpora), encoder.rows), dtype=np.int64)
    with progress.stage("count text", len(corpora), "categories") as stage:
        for row, corpus in zip(counts, corpora, strict=True):
            row[:] = _count(encoder, corpus, max_bytes, journal)
            stage.advance()
    if not counts.any():
        raise BadInputError(
            ", ".join(corpus.name for corpus in corpora),
            "its text gives no token",
            "give text files that are not empty",
        )
    return Occurrence(tuple(corpus.name for corpus in corpora), counts)


def _count(
    encoder: TextEncoder, corpus: Corpus, max_bytes: int | None, journal: Journal
) -> npt.NDArray[np.int64]:
    key = f"corpus:{corpus.name}"
    kept = journal.recall(key)
    if kept is None:
        found = count_tokens(encoder.source.encoder, read_corpus(corpus, max_bytes), encoder.rows)
        ids = np.flatnonzero(found)
        journal.keep(key, [ids.tolist(), found[ids].tolist()])
        return found
    counts = np.zeros(encoder.rows, dtype=np.int64)
    counts[kept[0]] = kept[1]
    return counts


def corpora_summary(occurrence: Occurrence, sticky: Sequence[int] | None) -> CorporaSummary:
    """Return the size of the text, and the sticky tokens' share of it.

    :param sticky: Tokens called sticky; None where there is no verdict.
    """
    totals = occurrence.totals.tolist()
    if sticky is None:
        categories = zip(occurrence.categories, totals, strict=True)
        return CorporaSummary(
            sum(totals), tuple(CategoryOccurrence(name, total) for name, total in categories)
        )
    whole, rates = occurrence.per_million(sticky)
    return CorporaSummary(
        tokens=sum(totals),
        categories=tuple(
            CategoryOccurrence(name, total, rate)
            for name, total, rate in zip(occurrence.categories, totals, rates, strict=True)
        ),
        sticky_occurring=occurrence.occurring(sticky),
        sticky_per_million=whole,
    )
