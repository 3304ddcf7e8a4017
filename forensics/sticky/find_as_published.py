"""Method `std`: the published procedure from score to verdict (Chen et al. 2025, as released).

Score every token on a few pairs, shortlist the highest, validate those on many pairs, and call sticky
what lies above a fence of the shortlist's own validation values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.progress import Progress
from forensics.sticky.early_stop import best_scores
from forensics.sticky.interface import Keep, Recall
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import insertion_slots

__all__ = ["PublishedPlan", "PublishedResult", "find_as_published", "shortlist_threshold"]

#: Verdict: above Q3 + this many interquartile ranges.
FENCE = 0.7


@dataclass(frozen=True)
class PublishedPlan:
    """What is scored."""

    #: Tokens that decode and re-encode to themselves, with their text, in id order.
    available: Mapping[int, str]
    #: Score and validate just these; None for all.
    requested: Sequence[int] | None = None
    #: Copies of a token in a text, from one to this many.
    copies: int = 8
    #: Share that is shortlisted, in percent.
    shortlist: float = 2.0
    #: Leave a token as soon as it cannot come into the shortlist; its score is then not known.
    early_stop: bool = False


@dataclass(frozen=True)
class PublishedResult:
    """Scores and verdicts."""

    #: Token id -> score, None where the early stop made it certain to be outside the shortlist.
    scores: Mapping[int, float | None]
    #: Least score of the shortlist; None if only some tokens were asked for.
    threshold: float | None
    #: Validated tokens: the shortlist, or those asked for.
    validation: Mapping[int, float]
    #: Least validation value that counts as sticky; None if only some tokens were asked for.
    fence: float | None
    #: Tokens above it.
    sticky: tuple[int, ...]


def find_as_published(
    scoring: PublishedScorer,
    validating: PublishedScorer,
    plan: PublishedPlan,
    *,
    recall: Recall = lambda key: None,
    keep: Keep = lambda key, value: None,
    progress: Progress | None = None,
) -> PublishedResult:
    """Return the published procedure's scores, shortlist, validation values and verdicts.

    :param scoring: The few pairs of the score.
    :param validating: The many pairs of the validation. Its random stream begins anew and passes over all
        available tokens (in the authors' program only the shortlist uses it up), because otherwise a
        token's validation would depend on which other tokens are shortlisted.
    """
    progress = progress or Progress()
    scores: Mapping[int, float | None]
    if plan.early_stop and plan.requested is None:
        scores = best_scores(
            scoring,
            plan.available,
            copies=plan.copies,
            percent=plan.shortlist,
            recall=recall,
            keep=keep,
            progress=progress,
        )
    else:
        asked = plan.available.keys() if plan.requested is None else set(plan.requested)
        scores = _measure("score", scoring, scoring.score, plan, asked, recall, keep, progress)
    if plan.requested is None:
        threshold = shortlist_threshold(scores, plan.shortlist)
        chosen = {i for i, score in scores.items() if score is not None and score >= threshold}
    else:
        threshold, chosen = None, set(scores)
    validation = _measure("validate", validating, validating.validate, plan, chosen, recall, keep, progress)
    fence = None
    if plan.requested is None and validation:
        low, high = np.percentile(list(validation.values()), [25, 75])
        fence = float(high + FENCE * (high - low))
    sticky = tuple(i for i, value in validation.items() if fence is not None and value > fence)
    return PublishedResult(scores, threshold, validation, fence, sticky)


def shortlist_threshold(scores: Mapping[int, float | None], percent: float) -> float:
    """Return the percentile of the scores from which on tokens are shortlisted.

    Scores that are not known are below it by construction; any value below will do for them.
    """
    # No score is below 0, and infinity would make the interpolation NaN.
    values = [-1.0 if score is None else score for score in scores.values()]
    return float(np.percentile(values, 100 - percent))


def _measure(
    what: str,
    scorer: PublishedScorer,
    measure: Callable[[str, Sequence[Sequence[int]]], float],
    plan: PublishedPlan,
    chosen: Collection[int],
    recall: Recall,
    keep: Keep,
    progress: Progress,
) -> dict[int, float]:
    """Return a number for every token chosen, in id order.

    :param what: Names the numbers, for the user and for `recall`.
    :param measure: Takes a token's text and the places of its copies.
    """
    ids = list(plan.available)
    wanted = {k for k, token_id in enumerate(ids) if token_id in chosen}
    values: dict[int, float] = {}
    with progress.stage(what, len(wanted), "tokens") as stage:
        for k, slots in insertion_slots(len(ids), scorer.words, plan.copies, wanted):
            key = f"{what}:{ids[k]}"
            kept = recall(key)
            if kept is None:
                kept = measure(plan.available[ids[k]], slots)
                keep(key, kept)
            values[ids[k]] = kept
            stage.advance()
    return values
