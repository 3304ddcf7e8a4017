"""The intervals of a run: documents read and counted, tokenizers simulated, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.mixture.bootstrap import Intervals, bootstrap_intervals, merge_simulator, piece_simulator
from forensics.mixture.document_counts import LEAST_DOCUMENTS, DocumentCounts, count_documents
from forensics.mixture.piece_lists import respelt_words
from forensics.mixture.piece_simulation import PieceDocuments, count_pieces
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.result import Mixture
from forensics.mixture.text_sample import MOST_SAMPLE, sample_documents
from forensics.progress import Progress
from forensics.runs.mixture.learned import LearnedMerges, LearnedPieces
from forensics.sources.texts.corpora import Corpus
from forensics.sources.texts.documents import BLOCK, Division, division_of, read_documents

__all__ = ["counted_documents", "counted_pieces", "interval_remarks", "simulated_intervals"]

#: Seconds that one simulation takes for a megabyte of text, and for a thousand merges and ten categories:
#: measured on one core of the machine of results/benchmarks.md, for the estimate that is said beforehand.
SECONDS_PER_MEGABYTE = 0.05
SECONDS_PER_FIT = 0.4


def counted_documents(
    learned: LearnedMerges, categories: Sequence[Corpus], max_bytes: int | None, seed: int, progress: Progress
) -> DocumentCounts:
    """Return the documents of all categories, or a sample of them, as they are dealt out.

    :param learned: The tokenizer.
    :param categories: The text.
    :param max_bytes: Text read of each category at most.
    :param seed: Seed of the draw of documents.
    :param progress: Where to report.
    :raises BadInputError: If a file cannot be read.
    """
    respell = respelt_words if learned.wordpiece else None
    with progress.stage("count documents"):
        documents = _documents(categories, max_bytes, seed)
        return count_documents(documents, learned.splitter, learned.merges, respell)


def counted_pieces(
    learned: LearnedPieces, categories: Sequence[Corpus], max_bytes: int | None, seed: int, progress: Progress
) -> PieceDocuments:
    """Return the same for a vocabulary without merges; see `counted_documents`."""
    with progress.stage("count documents"):
        return count_pieces(_documents(categories, max_bytes, seed), learned.splitter, learned.pieces)


def _documents(categories: Sequence[Corpus], max_bytes: int | None, seed: int) -> dict[str, list[str]]:
    """Return the documents of all categories, or a sample of them."""
    seeds = np.random.SeedSequence(seed).spawn(len(categories))
    return {
        corpus.name: sample_documents(read_documents(corpus, max_bytes), each)
        for corpus, each in zip(categories, seeds, strict=True)
    }


def simulated_intervals(
    counts: DocumentCounts | PieceDocuments,
    learned: LearnedMerges | LearnedPieces,
    mixture: Mixture,
    *,
    repeats: int,
    seed: int,
    jobs: int,
    progress: Progress,
) -> Intervals:
    """Return the intervals of the shares from simulated tokenizers; what they will cost is said before.

    :param counts: The documents.
    :param learned: The tokenizer.
    :param mixture: The estimate.
    :param repeats: How many tokenizers are simulated.
    :param seed: Seed of the simulations.
    :param jobs: Processes.
    :param progress: Where to report.
    """
    if isinstance(counts, PieceDocuments) and isinstance(learned, LearnedPieces):
        simulator = piece_simulator(counts, learned.pieces, mixture.merges_used)
    elif isinstance(counts, DocumentCounts) and isinstance(learned, LearnedMerges):
        progress.note(_cost(float(counts.nbytes.sum()), mixture, repeats, jobs))
        simulator = merge_simulator(counts, learned.merges, mixture.merges_used, mixture.skipped)
    else:
        raise TypeError("documents counted in pieces go with a vocabulary of pieces, others with merges")
    with progress.stage("bootstrap", repeats, "simulated tokenizers") as stage:
        return bootstrap_intervals(
            counts,
            mixture.proportions,
            mixture.misfit,
            simulator,
            repeats=repeats,
            seed=seed,
            jobs=jobs,
            on_repeat=stage.advance,
        )


def _cost(nbytes: float, mixture: Mixture, repeats: int, jobs: int) -> str:
    """Return what the simulations will take, in a sentence."""
    fit = SECONDS_PER_FIT * mixture.merges_used / 1000 * max(1.0, len(mixture.proportions) / 10)
    seconds = repeats * (SECONDS_PER_MEGABYTE * nbytes / 1e6 + fit)
    return (
        f"{repeats:,} tokenizers of {mixture.merges_used:,} merges are simulated on {nbytes / 1e6:,.0f} MB: "
        f"some {seconds:,.0f} s of processor time, on {max(1, jobs)} processes"
    )


def interval_remarks(
    intervals: Intervals, categories: Sequence[Corpus], counted: Sequence[PretokenCounts], what: str
) -> list[str]:
    """Return what a reader of the intervals should know.

    :param what: What the curve is of: merges or pieces.
    """
    remarks = []
    if intervals.refused:
        few = ", ".join(f"{name} ({intervals.documents[name]:.1f})" for name in intervals.refused)
        remarks.append(
            f"no interval can be given for categories of fewer than {LEAST_DOCUMENTS} documents of equal "
            f"size: {few}; those of the other categories do not know how unlike these are"
        )
    if intervals.raised > 1:
        remarks.append(
            f"the {what} lie {intervals.raised:.1f} times as far from the curve as those of simulated "
            "tokenizers: what the tokenizer was trained on is less like the given text than its documents "
            "are like each other, and the intervals were made wider by as much"
        )
    blocks = [corpus.name for corpus in categories if division_of(corpus) is Division.BLOCKS]
    if blocks:
        remarks.append(
            f"nothing says where a document ends in {', '.join(blocks)}: blocks of {BLOCK:,} characters were "
            "dealt out, and where documents are longer the intervals are too narrow"
        )
    if any(c.nbytes > MOST_SAMPLE for c in counted):
        remarks.append(f"the intervals were simulated on {MOST_SAMPLE:,} bytes of each category at most")
    return remarks
