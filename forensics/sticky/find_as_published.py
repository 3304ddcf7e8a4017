"""`--method std`: the published procedure from score to verdict (Chen et al. 2025, as released).

Score every token on a few pairs, shortlist the highest, validate those on many pairs, and call sticky
what lies above a fence of the shortlist's own validation values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.progress import Progress
from forensics.sticky.early_stop import best_scores
from forensics.sticky.published_scorer import PairBench
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
    scoring: PairBench,
    validating: PairBench,
    plan: PublishedPlan,
    *,
    recall: Callable[[str], Any] = lambda key: None,
    keep: Callable[[str, Any], None] = lambda key, value: None,
    progress: Progress | None = None,
) -> PublishedResult:
    """Return the published procedure's scores, shortlist, validation values and verdicts.

    :param scoring: The few pairs of the score.
    :param validating: The many pairs of the validation. Its random stream begins anew and passes over all
        available tokens (in the authors' program only the shortlist uses it up), because otherwise a
        token's validation would depend on which other tokens are shortlisted.
    """
    progress = progress or Progress()
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
        scores = _score(scoring, plan, recall, keep, progress)
    if plan.requested is None:
        threshold = shortlist_threshold(scores, plan.shortlist)
        chosen = [i for i, score in scores.items() if score is not None and score >= threshold]
    else:
        threshold, chosen = None, list(scores)
    validation = _validate(validating, plan, chosen, recall, keep, progress)
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
    values = [-np.inf if score is None else score for score in scores.values()]
    finite = np.array(values)
    finite[np.isinf(finite)] = -1e9  # interpolation between two infinities would give NaN
    return float(np.percentile(finite, 100 - percent))


def _score(
    bench: PairBench,
    plan: PublishedPlan,
    recall: Callable[[str], Any],
    keep: Callable[[str, Any], None],
    progress: Progress,
) -> dict[int, float | None]:
    ids = list(plan.available)
    wanted = _places(ids, plan.requested)
    scores: dict[int, float | None] = {}
    with progress.stage("score", len(wanted), "tokens") as stage:
        for k, slots in insertion_slots(len(ids), bench.words, plan.copies, wanted):
            kept = recall(f"score:{ids[k]}")
            if kept is None:
                kept = bench.score(plan.available[ids[k]], slots)
                keep(f"score:{ids[k]}", kept)
            scores[ids[k]] = kept
            stage.advance()
    return scores


def _validate(
    bench: PairBench,
    plan: PublishedPlan,
    chosen: Sequence[int],
    recall: Callable[[str], Any],
    keep: Callable[[str, Any], None],
    progress: Progress,
) -> dict[int, float]:
    ids = list(plan.available)
    wanted = _places(ids, chosen)
    values: dict[int, float] = {}
    with progress.stage("validate", len(wanted), "tokens") as stage:
        for k, slots in insertion_slots(len(ids), bench.words, plan.copies, wanted):
            kept = recall(f"validate:{ids[k]}")
            if kept is None:
                kept = bench.validate(plan.available[ids[k]], slots)
                keep(f"validate:{ids[k]}", kept)
            values[ids[k]] = kept
            stage.advance()
    return values


def _places(ids: Sequence[int], requested: Sequence[int] | None) -> set[int]:
    """Return the places in id order of the tokens asked for."""
    if requested is None:
        return set(range(len(ids)))
    asked = set(requested)
    return {k for k, token_id in enumerate(ids) if token_id in asked}
