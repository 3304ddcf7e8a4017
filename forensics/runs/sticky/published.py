"""The method `std` of `sticky` as a run: pairs in, table columns and summary out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forensics.runs.sticky.inputs import StickyTexts
from forensics.runs.sticky.measured import Measured, Task
from forensics.schema.sticky import PairsSummary, StickyOptions, StickySummary
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sticky.available import round_trip_tokens
from forensics.sticky.find_as_published import PublishedPlan, PublishedResult, find_as_published
from forensics.sticky.pairs import SentencePair, pairs_of_sentences, remark_on_cut_texts, select_pairs
from forensics.sticky.published_figures import (
    PublishedFigures,
    published_columns,
    published_figures,
    weaknesses,
)
from forensics.sticky.published_scorer import PublishedScorer

__all__ = ["run_published"]

#: A stated similarity that is this far from the model's is told of.
WRONG_BY = 0.01


def run_published(task: Task, summary: StickySummary) -> Measured:
    """Score, shortlist and validate, with an interrupted run's results taken up.

    :param summary: With what both methods say of a run.
    :raises BadInputError: If too few pairs lie below `u`.
    """
    options, encoder = task.options, task.encoder
    available = round_trip_tokens(encoder.source)
    left_out = [i for i in options.tokens or () if i not in available]
    scoring, validating, remarks = _scorers(encoder, task.texts, options, task.u)
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


def _scorers(
    encoder: TextEncoder, texts: StickyTexts, options: StickyOptions, u: float
) -> tuple[PublishedScorer, PublishedScorer, tuple[str, ...]]:
    """Return the pairs for the score, those for the validation, and remarks."""
    given = texts.sets[0]
    where, counts = given.where, (options.pairs_score, options.pairs_validate)
    if texts.pairs is not None and options.pairs is not None:
        where, name = options.pairs, Path(options.pairs).name
        pairs = _with_similarities(encoder, texts.pairs)
        chosen = [select_pairs(pairs, u, count, where) for count in counts]
    else:
        name = given.name
        chosen = [pairs_of_sentences(encoder, given.sentences, u, count, where) for count in counts]
    scoring, validating = (PublishedScorer.of(encoder, each) for each in chosen)
    used = list(dict.fromkeys([*scoring.pairs, *validating.pairs]))
    remarks = [] if texts.pairs is None else [_remark_on_similarities([scoring, validating], name)]
    remarks.append(remark_on_cut_texts(encoder, used, options.insertions, name))
    return scoring, validating, tuple(remark for remark in remarks if remark is not None)


def _with_similarities(
    encoder: TextEncoder, rows: Sequence[tuple[str, str, float | None]]
) -> list[SentencePair]:
    """Return the file's pairs; similarities it leaves open are measured."""
    unmeasured = [(a, b) for a, b, given in rows if given is None]
    first, second = (
        encoder.embed(encoder.tokenize(texts)).astype(np.float64)
        for texts in ([a for a, _ in unmeasured], [b for _, b in unmeasured])
    )
    measured = iter((first * second).sum(axis=1).tolist())
    return [SentencePair(a, b, next(measured) if given is None else given) for a, b, given in rows]


def _remark_on_similarities(scorers: Sequence[PublishedScorer], where: str) -> str | None:
    """Return how many similarities of the pairs used are not this model's, None if all are."""
    measured = {
        pair: 1 - float(start)
        for scorer in scorers
        for pair, start in zip(scorer.pairs, scorer.start, strict=True)
    }
    off = sum(abs(pair.similarity - value) > WRONG_BY for pair, value in measured.items())
    if not off:
        return None
    return (
        f"{where}: the similarities of {off} of the {len(measured)} pairs used differ from this model's "
        f"cosine by more than {WRONG_BY}; the pairs were chosen by the file's values."
    )


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


def _pairs_summary(scorer: PublishedScorer) -> PairsSummary:
    similarities = [pair.similarity for pair in scorer.pairs]
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
