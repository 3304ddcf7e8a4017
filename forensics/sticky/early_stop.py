"""The published scores of the shortlist, without those of most other tokens.

A token is left as soon as an exact upper bound of its score is below a bar. The bar begins as a guess from
the scores of a random sample, because the least of the best scores so far says little before a good part of
the vocabulary is done; it takes over once it is higher. A guess that was too high shows at the end, when too
few scores reach it: the tokens that it stopped are then tried again with a lower one. So the guess moves the
time that a run takes, and never the shortlist.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice

import numpy as np

from forensics.progress import Progress
from forensics.sticky.interface import Keep, Recall
from forensics.sticky.published_scorer import PairBench
from forensics.sticky.published_texts import SEED, insertion_slots

__all__ = ["BLOCK", "MOST_SAMPLE", "best_scores", "first_bar"]

#: Tokens that are looked at together.
BLOCK = 32
#: Share of the tokens whose scores the first guess comes from, and the least and most of them. With 300 of
#: 23,699 tokens a bar at twice the shortlist's share is too high in one run of fifty.
SAMPLE_SHARE, LEAST_SAMPLE, MOST_SAMPLE = 0.05, 20, 300


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


def first_bar(sample: Sequence[float], percent: float) -> float:
    """Return a score that the shortlist's least one is most likely above.

    :param sample: Scores of random tokens.
    :param percent: Share that is shortlisted.
    """
    share = 2 * percent
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

    def take(found: Mapping[int, float | None]) -> None:
        scores.update(found)
        for score in found.values():
            if score is not None:
                best.add(score)

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
    share, attempt = percent, "score"
    while left:
        bar = first_bar(drawn, share)
        stopped = set()
        with progress.stage(attempt, len(left), "tokens") as stage:
            for block in blocks(left, BLOCK):
                found = _kept_or_scored(bench, available, block, max(bar, best.least), attempt, recall, keep)
                take(found)
                stopped |= {token_id for token_id, score in found.items() if score is None}
                stage.advance(len(block))
        if best.least >= bar:
            break
        left = {k for k, token_id in enumerate(ids) if token_id in stopped}
        share, attempt = 2 * share, f"{attempt} again"
    return {token_id: scores[token_id] for token_id in ids}


def _kept_or_scored(
    bench: PairBench,
    available: Mapping[int, str],
    block: Sequence[tuple[int, list[list[int]]]],
    bar: float,
    attempt: str,
    recall: Recall,
    keep: Keep,
) -> dict[int, float | None]:
    """Return the scores of some tokens, None for those that are certain to be below `bar`."""
    kept = {token_id: recall(f"{attempt}:{token_id}") for token_id, _ in block}
    if None in kept.values():
        # Computed whole even if some is kept: what is stopped must not depend on an interruption.
        kept = {
            token_id: {"score": None if below else bench.score(available[token_id], at)}
            for (token_id, at), below in zip(block, _below(bench, available, block, bar), strict=True)
        }
        for token_id, value in kept.items():
            keep(f"{attempt}:{token_id}", value)
    return {token_id: value["score"] for token_id, value in kept.items()}


def _below(
    bench: PairBench, available: Mapping[int, str], block: Sequence[tuple[int, list[list[int]]]], bar: float
) -> list[bool]:
    if bar == -np.inf:
        return [False] * len(block)
    return bench.certainly_below([available[i] for i, _ in block], [at for _, at in block], bar)
