"""The method `std` of `sticky` as a run: pairs in, table columns and summary out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forensics.errors import BadInputError
from forensics.runs.sticky.inputs import StickyTexts
from forensics.runs.sticky.measured import Measured, Task
from forensics.schema.sticky import PairsSummary, StickyOptions, StickySummary
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sticky.available import round_trip_tokens
from forensics.sticky.find_as_published import PublishedPlan, PublishedResult, find_as_published
from forensics.sticky.pairs import SentencePair, pairs_of_sentences, select_pairs
from forensics.sticky.published_figures import (
    PublishedFigures,
    published_columns,
    published_figures,
    weaknesses,
)
from forensics.sticky.published_scorer import PairBench

__all__ = ["run_published"]


def run_published(task: Task, summary: StickySummary) -> Measured:
    """Score, shortlist and validate, with an interrupted run's results taken up.

    :param summary: With what both methods say of a run.
    :raises BadInputError: If too few pairs lie below `u`, or a sentence does not fit the window.
    """
    options, encoder = task.options, task.encoder
    available = round_trip_tokens(encoder.source)
    left_out = [i for i in options.tokens or () if i not in available]
    scoring, validating, remarks = _pair_benches(encoder, task.texts, options, task.u)
    plan = PublishedPlan(
        available=available,
        requested=None if options.tokens is None else [i for i in options.tokens if i in available],
        copies=options.insertions,
        shortlist=options.shortlist,
        early_stop=options.early_stop,
    )
    result = find_as_published(
        scoring,
        validating,
        plan,
        recall=task.journal.recall,
        keep=task.journal.keep,
        progress=task.progress,
    )
    figures = published_figures(result, scoring, available, options.insertions)
    summary = replace(
        _filled(summary, result, figures),
        available=len(available),
        pairs=tuple(map(_pairs_summary, (scoring, validating))),
        notes=(*_notes(options, left_out), *remarks, *weaknesses(figures)),
    )
    return Measured(published_columns(result, encoder.rows), summary)


def _pair_benches(
    encoder: TextEncoder, texts: StickyTexts, options: StickyOptions, u: float
) -> tuple[PairBench, PairBench, tuple[str, ...]]:
    """Return the pairs for the score, those for the validation, and remarks."""
    notes: tuple[str, ...] = ()
    given = texts.sets[0]
    where, counts = given.where, (options.pairs_score, options.pairs_validate)
    if texts.pairs is not None and options.pairs is not None:
        where = options.pairs
        pairs, notes = _with_similarities(encoder, texts.pairs, Path(where).name)
        chosen = [select_pairs(pairs, u, count, where) for count in counts]
    else:
        chosen = [pairs_of_sentences(encoder, given.sentences, u, count, where) for count in counts]
    scoring, validating = (PairBench.of(encoder, each) for each in chosen)
    for bench in (scoring, validating):
        _refuse_long(bench, where, options.insertions)
    return scoring, validating, notes


def _refuse_long(bench: PairBench, where: str, copies: int) -> None:
    """Refuse sentences that leave no room for the copies."""
    longest = max(map(len, bench.encoder.tokenize([pair.sentence2 for pair in bench.pairs])))
    window = bench.encoder.window
    if longest + copies >= window:
        raise BadInputError(
            where,
            f"a sentence of {longest} tokens leaves no room for {copies} copies in the window of {window}",
            "leave it out or use fewer `insertions`",
        )


def _with_similarities(
    encoder: TextEncoder, rows: Sequence[tuple[str, str, float | None]], name: str
) -> tuple[list[SentencePair], tuple[str, ...]]:
    """Return the file's pairs; similarities it leaves open, or states wrongly, are measured and told of."""
    first, second = (
        encoder.embed(encoder.tokenize(texts)).astype(np.float64)
        for texts in ([row[0] for row in rows], [row[1] for row in rows])
    )
    measured = (first * second).sum(axis=1)
    pairs = [
        SentencePair(a, b, float(m) if given is None else given)
        for (a, b, given), m in zip(rows, measured, strict=True)
    ]
    off = np.abs(np.array([pair.similarity for pair in pairs]) - measured)
    if off.max() <= 0.01:
        return pairs, ()
    note = (
        f"{name}: {(off > 0.01).sum()} of {len(pairs)} similarities differ from this model's cosine by more "
        "than 0.01; the pairs were chosen by the file's values."
    )
    return pairs, (note,)


def _filled(summary: StickySummary, result: PublishedResult, figures: PublishedFigures) -> StickySummary:
    """Return the summary with the method's numbers."""
    return replace(
        summary,
        shortlisted=len(result.validation) if result.threshold is not None else None,
        sticky=len(result.sticky) if result.fence is not None else None,
        score_threshold=result.threshold,
        validation_fence=result.fence,
        stopped_early=sum(score is None for score in result.scores.values()),
        score_validation_spearman=figures.rank_correlation,
        share_beyond_fence=figures.share_beyond_fence,
        kept_as_inserted=figures.kept_as_inserted,
    )


def _pairs_summary(bench: PairBench) -> PairsSummary:
    similarities = [pair.similarity for pair in bench.pairs]
    return PairsSummary(len(similarities), min(similarities), max(similarities))


def _notes(options: StickyOptions, left_out: Sequence[int]) -> list[str]:
    notes = []
    if options.tokens is not None:
        notes.append(
            "Only some tokens were asked for: shortlist and fence are shares of the whole vocabulary, so "
            "there is no verdict; all of them were validated."
        )
    if left_out:
        notes.append(
            f"{len(left_out)} of the tokens asked for do not survive decoding and are left out: "
            f"{', '.join(map(str, left_out[:20]))}."
        )
    return notes
