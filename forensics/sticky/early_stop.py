"""The published scores of the shortlist, without those of most other tokens.

Best first: of all tokens those with the highest upper bound of their score are looked at next, each with
the one text that promises to lower its bound most. A token whose bound no text would lower much is scored.
Once enough scores are at least as high as every bound that is left, no other token can come into the
shortlist. No token is followed further down than that, and no threshold has to be guessed.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import numpy as np

from forensics.progress import Progress, Stage
from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Float64Array, Keep, Recall
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import SEED, insertion_slots
from forensics.sticky.score_bounds import ScoreBounds

__all__ = ["BLOCK", "best_scores"]

#: Tokens that are looked at together, with one text each.
BLOCK = 128
#: Tokens that are embedded together by themselves.
BARE_BLOCK = 1024
#: A token is scored once the best text would lower its bound by less than this share. With five times as
#: much, tokens are scored that a few more texts would have settled.
WORTH = 0.001
#: Random tokens that are searched first. They show what the texts of a usual token do, before the search
#: comes to meet the stubborn ones first, and tell how many texts the whole will take.
SAMPLE = 256


def best_scores(
    scorer: PublishedScorer,
    available: Mapping[int, str],
    *,
    copies: int,
    percent: float,
    recall: Recall,
    keep: Keep,
    progress: Progress,
) -> dict[int, float | None]:
    """Return the scores of all tokens that can come into the shortlist, None for others.

    :param scorer: The pairs of the score.
    :param available: Token id -> text, in id order.
    :param copies: Copies of a token in a text.
    :param percent: Share that is shortlisted.
    :param recall: Looks up what an interrupted run kept.
    :param keep: Told every result as it comes.
    :param progress: Where to report.
    """
    ids = list(available)
    texts = list(available.values())
    with progress.stage("embed bare tokens", len(texts), "tokens") as stage:
        bare = []
        for start in range(0, len(texts), BARE_BLOCK):
            bare.append(scorer.bare(texts[start : start + BARE_BLOCK]))
            stage.advance(len(bare[-1]))
    search = _Search(scorer, available, copies, np.concatenate(bare), recall, keep)
    sample = np.random.default_rng(SEED).choice(len(ids), min(SAMPLE, len(ids)), replace=False)
    with progress.stage("score a sample", unit="texts") as stage:
        search.find_best(sorted(sample.tolist()), percent, stage)
    expected = round(stage.done / len(sample) * (len(ids) - len(sample)))
    with progress.stage("score", expected, "texts") as stage:
        search.find_best(range(len(ids)), percent, stage)
        stage.set_total(stage.done)
    return {token_id: search.scores.get(k) for k, token_id in enumerate(ids)}


class _Search:
    """Scores and bounds of all tokens, which are known by their place in id order."""

    def __init__(
        self,
        scorer: PublishedScorer,
        available: Mapping[int, str],
        copies: int,
        bare: Float64Array,
        recall: Recall,
        keep: Keep,
    ) -> None:
        self._scorer, self._recall, self._keep = scorer, recall, keep
        self._ids, self._texts = list(available), list(available.values())
        self._slots = np.empty((len(self._ids), len(scorer.pairs), copies), dtype=np.uint16)
        for k, at in insertion_slots(len(self._ids), scorer.words, copies, range(len(self._ids))):
            self._slots[k] = at
        self._bounds = ScoreBounds(scorer, self._texts, self._slots, bare)
        self._texts_per_score = 1 + len(scorer.pairs) * len(Mode) * copies
        self._blocks = 0
        self.scores: dict[int, float] = {}

    def find_best(self, among: Sequence[int], percent: float, stage: Stage) -> None:
        """Score those of some tokens that are in their best `percent`."""
        best = _Best(_wanted(len(among), percent))
        for k in among:
            if k in self.scores:
                best.add(self.scores[k])
        left = [k for k in among if k not in self.scores]
        heap = [(-bound, k) for k, bound in zip(left, self._bounds.totals(left), strict=True)]
        heapq.heapify(heap)
        # Of few tokens fewer at a time, lest most are followed further down than the best of them call for.
        size = min(BLOCK, 1 + len(among) // 32)
        while block := _highest(heap, best.least, size):
            bounds = dict(zip(block, self._bounds.totals(block), strict=True))
            cells, gains = self._bounds.next_texts(block)
            going = []
            for k, cell, gain in zip(block, cells, gains, strict=True):
                if gain > WORTH * bounds[k]:
                    going.append((k, cell))
                elif bounds[k] >= best.least:
                    self.scores[k] = self._score(k)
                    best.add(self.scores[k])
                    stage.advance(self._texts_per_score)
            if going:
                self._look_at(*zip(*going, strict=True))
                places = [k for k, _ in going]
                for k, bound in zip(places, self._bounds.totals(places), strict=True):
                    heapq.heappush(heap, (-bound, k))
                stage.advance(len(going))

    def _look_at(self, places: Sequence[int], cells: Sequence[int]) -> None:
        """Encode the next text of each token's cell, unless an interrupted run did.

        The search takes the same way each time, so the blocks are known by their number.
        """
        key = f"texts:{self._blocks}"
        self._blocks += 1
        distances = self._recall(key)
        if distances is None:
            distances = self._bounds.measure(places, cells)
            self._keep(key, distances)
        self._bounds.learn(places, cells, distances)

    def _score(self, k: int) -> float:
        key = f"score:{self._ids[k]}"
        score: float | None = self._recall(key)
        if score is None:
            score = self._scorer.score(self._texts[k], self._slots[k].tolist())
            self._keep(key, score)
        return score


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


def _wanted(tokens: int, percent: float) -> int:
    """Return how many of the best scores the percentile of the shortlist is computed from."""
    # It lies between two scores of the ranking; both must be known.
    return tokens - int(np.floor((1 - percent / 100) * (tokens - 1)))


def _highest(heap: list[tuple[float, int]], least: float, size: int) -> list[int]:
    """Take the tokens of the highest bounds from the heap, as far as these reach `least`."""
    block: list[int] = []
    while heap and len(block) < size and -heap[0][0] >= least:
        block.append(heapq.heappop(heap)[1])
    return block
