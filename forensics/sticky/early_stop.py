"""The published scores of the shortlist, without those of most other tokens.

A token is left as soon as an exact upper bound of its score is below a bar. The bar begins as a guess from
the scores of a random sample, because the least of the best scores so far says little before a good part of
the vocabulary is done; it takes over once it is higher. A guess that was too high shows at the end, when too
few scores reach it: what it stopped is then tried again with a lower one, as far as the bounds leave it
open. So the guess moves the time that a run takes, and never the shortlist.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any

import numpy as np

from forensics.progress import Progress
from forensics.sticky.interface import Keep, Recall
from forensics.sticky.published_scorer import PairBench
from forensics.sticky.published_texts import SEED, insertion_slots

__all__ = ["BLOCK", "CAUTION", "MOST_SAMPLE", "best_scores", "guess_bar"]

#: Tokens that are looked at together.
BLOCK = 32
#: Share of the tokens whose scores the first bar comes from, and the least and most of them.
SAMPLE_SHARE, LEAST_SAMPLE, MOST_SAMPLE = 0.05, 20, 500
#: The first bar lets this many times the shortlist's share of the sample by. With 500 of 23,699 tokens it is
#: then above the shortlist's least score in one run of twelve, which costs time.
CAUTION = 1.5


class _Best:
    """The highest scores so far."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._scores: list[float] = []

    def add(self, score: float) -> None:
        (heapq.heappush if len(self._scores) < self._wanted else heapq.heappushpop)(self._scores, score)

    @property
    def least(self) -> float:
        """The least of them; minus infinity before there are enough."""
        return self._scores[0] if len(self._scores) >= self._wanted else -np.inf


def guess_bar(sample: Sequence[float], share: float) -> float:
    """Return the score that this share of the sample reaches, in percent; minus infinity for all of it.

    :param sample: Scores of random tokens.
    """
    return float(np.percentile(sample, 100 - share)) if share < 100 else -np.inf


def best_scores(
    bench: PairBench,
    available: Mapping[int, str],
    *,
    copies: int,
    percent: float,
    recall: Recall,
    keep: Keep,
    progress: Progress,
) -> dict[int, float | None]:
    """Return the scores of all tokens that can come into the shortlist, None for the others.

    :param bench: The pairs of the score.
    :param available: Token id -> text, in id order.
    :param copies: Copies of a token in a text.
    :param percent: Share that is shortlisted.
    :param recall: Looks up what an interrupted run kept.
    :param keep: Told every result as it comes.
    :param progress: Where to report.
    """
    ids = list(available)
    # The percentile lies between two scores of the ranking; both must be known.
    best = _Best(len(ids) - int(np.floor((1 - percent / 100) * (len(ids) - 1))))
    scores: dict[int, float | None] = {}
    bounds: dict[int, float] = {}

    def take(found: Mapping[int, Mapping[str, Any]]) -> None:
        for token_id, value in found.items():
            scores[token_id] = value["score"]
            if value["score"] is None:
                bounds[token_id] = value["bound"]
            else:
                bounds.pop(token_id, None)
                best.add(value["score"])

    def blocks(places: Set[int], size: int) -> Iterator[list[tuple[int, list[list[int]]]]]:
        slots = insertion_slots(len(ids), bench.words, copies, places)
        while block := list(islice(slots, size)):
            yield [(ids[k], at) for k, at in block]

    size = min(len(ids), max(LEAST_SAMPLE, min(MOST_SAMPLE, int(SAMPLE_SHARE * len(ids)))))
    sample = set(np.random.default_rng(SEED).choice(len(ids), size, replace=False).tolist())
    left = set(range(len(ids))) - sample
    with progress.stage("score a sample", size, "tokens") as stage:
        for block in blocks(sample, 1):
            take(_kept_or_scored(bench, available, block, -np.inf, "score", recall, keep))
            stage.advance()
    drawn = [score for score in scores.values() if score is not None]
    share, attempt = CAUTION * percent, "score"
    bar = guess_bar(drawn, share)
    while left or best.least == -np.inf:
        with progress.stage(attempt, len(left), "tokens") as stage:
            for block in blocks(left, BLOCK):
                needed = max(bar, best.least)
                take(_kept_or_scored(bench, available, block, needed, attempt, recall, keep))
                stage.advance(len(block))
        if best.least == -np.inf:
            share *= 2
            bar = guess_bar(drawn, share)
        else:
            bar = best.least
        # Whoever's bound is below the bar by now is out; the others were stopped by a bar that was higher.
        left = {k for k, token_id in enumerate(ids) if bounds.get(token_id, -np.inf) >= bar}
        attempt = f"{attempt} again"
    return {token_id: scores[token_id] for token_id in ids}


def _kept_or_scored(
    bench: PairBench,
    available: Mapping[int, str],
    block: Sequence[tuple[int, list[list[int]]]],
    needed: float,
    attempt: str,
    recall: Recall,
    keep: Keep,
) -> dict[int, dict[str, float | None]]:
    """Return the scores of some tokens; for those certain to be below `needed` None and the bound."""
    kept = {token_id: recall(f"{attempt}:{token_id}") for token_id, _ in block}
    if None not in kept.values():
        return kept
    # Computed whole even if some is kept: what is stopped must not depend on an interruption.
    bounds = [np.inf] * len(block)
    if needed > -np.inf:
        bounds = bench.upper_bounds([available[i] for i, _ in block], [at for _, at in block], needed)
    for (token_id, at), bound in zip(block, bounds, strict=True):
        stopped = bound < needed
        score = None if stopped else bench.score(available[token_id], at)
        kept[token_id] = {"score": score, **({"bound": bound} if stopped else {})}
        keep(f"{attempt}:{token_id}", kept[token_id])
    return kept
