"""`--method contraction`: screen every token, measure the suspicious ones, confirm what is found.

A token is sticky if, on the first set of sentences, it contracts more than the median ordinary token by
more than a minimum effect (Student's t over probes, Benjamini-Hochberg over the whole vocabulary), and if
the same holds on a second set of sentences that shares none with the first. Nothing here is a quantile of
the vocabulary, so "none found" is a possible answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensics.progress import Progress, Stage
from forensics.sticky.contraction import Lines, TokenLines, measure_token
from forensics.sticky.interface import Encoder, Float64Array
from forensics.sticky.probes import ProbeSet
from forensics.sticky.screening import BLOCK, screen_block
from forensics.sticky.statistics import Effect, benjamini_hochberg, estimate_effect

__all__ = ["ContractionPlan", "ContractionResult", "TokenFinding", "find_by_contraction"]

#: Screened tokens come into the full measurement from this far below the minimum effect: the screen's
#: estimate has a standard deviation of about 0.04 around the full one on all-MiniLM-L6-v2.
SCREEN_MARGIN = 0.05


@dataclass(frozen=True)
class ContractionPlan:
    """What is measured and what counts."""

    #: Tokens that some text produces, rising ids: the vocabulary of the false-discovery control.
    available: Sequence[int]
    #: Measure just these, available or not; None for all.
    requested: Sequence[int] | None = None
    #: The least share of the available tokens that is measured in full, in percent.
    shortlist: float = 2.0
    #: Random available tokens: their median is the ordinary token, and the screen is checked on them.
    sample: int = 256
    #: The least effect that counts: a third more than an ordinary token takes away. On all-MiniLM-L6-v2
    #: effects of ordinary tokens have a standard deviation of about 0.1, so this is three of them.
    minimum_effect: float = 0.35
    #: Tolerated share of false discoveries, in each of the two sets.
    false_discovery_rate: float = 0.05
    #: What the sample is drawn from.
    seed: int = 0


@dataclass(frozen=True)
class TokenFinding:
    """One token that was measured in full, at least on the first set of sentences."""

    token_id: int
    #: On the first set.
    lines: TokenLines
    effect: Effect
    #: Over the vocabulary, on the first set.
    q_value: float
    #: On the second set, for what the first set found, what was asked for and the random sample.
    confirmation: Effect | None
    #: Over the tokens that the first set found, on the second; None for all others.
    confirmation_q: float | None
    sticky: bool
    #: Mean slope on the first set per probe, `(probes,)`.
    probe_slopes: Float64Array


@dataclass(frozen=True, eq=False)
class ContractionResult:
    """The findings and what they rest on."""

    #: Token id -> screen estimate of the effect, for every token screened.
    screened: Mapping[int, float]
    #: Token id -> finding, for every token measured in full.
    findings: Mapping[int, TokenFinding]
    #: Ids that came into the full measurement by the screen or by request.
    shortlisted: tuple[int, ...]
    #: Ids of the random sample.
    sample: tuple[int, ...]
    #: Mean slope of the median ordinary token on the first and the second set.
    ordinary_slope: tuple[float, float]
    #: What the sample says about the screen.
    screen_check: Mapping[str, float | int | None] = field(default_factory=dict)


#: Looks up an earlier result by its key, None if there is none.
Recall = Callable[[str], Any]
#: Keeps a result under its key.
Keep = Callable[[str, Any], None]


class _Bench:
    """A model, two sets of sentences and a memory of what was measured."""

    def __init__(
        self,
        encoder: Encoder,
        screen_encoder: Encoder,
        sets: tuple[ProbeSet, ProbeSet],
        u: float,
        recall: Recall,
        keep: Keep,
    ) -> None:
        self.encoder, self.screen_encoder = encoder, screen_encoder
        self.sets, self.u, self.recall, self.keep = sets, u, recall, keep
        self.lines = tuple(Lines.of(probe_set, probe_set.cells) for probe_set in sets)
        self.screen_lines = Lines.of(sets[0], sets[0].screen_cells)

    def measure(self, which: int, token_ids: Sequence[int], stage: Stage) -> dict[int, TokenLines]:
        """Measure tokens in full on one of the two sets."""
        measured = {}
        for token_id in token_ids:
            key = f"measure:{which}:{token_id}"
            kept = self.recall(key)
            if kept is None:
                lines = measure_token(self.encoder, self.sets[which], self.lines[which], token_id, self.u)
                self.keep(key, lines.to_json())
            else:
                lines = TokenLines.from_json(kept)
            measured[token_id] = lines
            stage.advance()
        return measured

    def screen(self, blocks: Sequence[Sequence[int]], stage: Stage) -> dict[int, Float64Array]:
        """Screen blocks of tokens, each as a whole."""
        slopes: dict[int, Float64Array] = {}
        for block in blocks:
            key = f"screen:{block[0]}:{len(block)}"
            kept = self.recall(key)
            if kept is None:
                rows = screen_block(self.screen_encoder, self.sets[0], self.screen_lines, block)
                self.keep(key, rows.tolist())
            else:
                rows = np.array(kept)
            slopes.update(zip(block, rows, strict=True))
            stage.advance(len(block))
        return slopes


def find_by_contraction(
    encoder: Encoder,
    sets: tuple[ProbeSet, ProbeSet],
    u: float,
    plan: ContractionPlan,
    *,
    screen_encoder: Encoder | None = None,
    recall: Recall = lambda key: None,
    keep: Keep = lambda key, value: None,
    progress: Progress | None = None,
) -> ContractionResult:
    """Return which tokens contract similarities, with their effects.

    :param sets: Sentences to find on and, disjoint from them, sentences to confirm on.
    :param u: Mean similarity of the vocabulary's entries.
    :param plan: What to measure.
    :param screen_encoder: The same model in a cheaper dtype, for the screen alone.
    :param recall: Looks up results of an interrupted run.
    :param keep: Told every result as it comes.
    :param progress: Where to report.
    """
    progress = progress or Progress()
    bench = _Bench(encoder, screen_encoder or encoder, sets, u, recall, keep)
    rng = np.random.default_rng([plan.seed, len(plan.available)])
    size = min(plan.sample, len(plan.available))
    sample = sorted(int(i) for i in rng.choice(np.array(plan.available), size=size, replace=False))
    with progress.stage("ordinary tokens", 2 * size, "tokens") as stage:
        first, second = (bench.measure(which, sample, stage) for which in (0, 1))
    ordinary = tuple(_median_by_probe(measured) for measured in (first, second))
    screened = _screen(bench, sample, plan, progress)
    shortlisted = _shortlist(screened, plan)
    todo = [i for i in shortlisted if i not in first]
    with progress.stage("full measurement", len(todo), "tokens") as stage:
        first |= bench.measure(0, todo, stage)
    findings = _decide(bench, first, second, (ordinary[0], ordinary[1]), plan, progress)
    return ContractionResult(
        screened=screened,
        findings=findings,
        shortlisted=tuple(shortlisted),
        sample=tuple(sample),
        ordinary_slope=(float(ordinary[0].mean()), float(ordinary[1].mean())),
        screen_check=_check_screen(sample, screened, findings, set(shortlisted), plan),
    )


def _by_probe(lines: TokenLines) -> Float64Array:
    """Return the mean slope per probe: cells stand probe after probe, three modes each."""
    slopes: Float64Array = lines.slope.reshape(-1, 3).mean(axis=1)
    return slopes


def _median_by_probe(measured: Mapping[int, TokenLines]) -> Float64Array:
    """Return the slopes of the median ordinary token, `(probes,)`."""
    median: Float64Array = np.median([_by_probe(lines) for lines in measured.values()], axis=0)
    return median


def _cut(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[start : start + BLOCK]) for start in range(0, len(ids), BLOCK)]


def _screen(
    bench: _Bench, sample: Sequence[int], plan: ContractionPlan, progress: Progress
) -> dict[int, float]:
    """Return the screen's estimate of the effect of every token asked for."""
    drawn = set(sample)
    blocks = _cut(sample)
    rest = _cut([i for i in plan.available if i not in drawn])
    if plan.requested is not None:
        wanted = set(plan.requested)
        rest = [block for block in rest if wanted & set(block)]
        # Tokens that no text produces stand in no block of the vocabulary: each is one by itself.
        rest += [[i] for i in sorted(wanted - set(plan.available))]
    with progress.stage("screen", sum(map(len, [*blocks, *rest])), "tokens") as stage:
        slopes = bench.screen(blocks, stage)
        ordinary = np.median([slopes[i] for i in sample], axis=0)
        slopes |= bench.screen(rest, stage)
    return {i: float(1 - slopes[i].mean() / ordinary.mean()) for i in sorted(slopes)}


def _shortlist(screened: Mapping[int, float], plan: ContractionPlan) -> list[int]:
    """Return the ids to be measured in full, rising."""
    if plan.requested is not None:
        return sorted(set(plan.requested))
    ranked = sorted(screened, key=lambda i: (-screened[i], i))
    least = int(np.ceil(len(plan.available) * plan.shortlist / 100))
    bar = plan.minimum_effect - SCREEN_MARGIN
    return sorted(i for rank, i in enumerate(ranked) if rank < least or screened[i] >= bar)


def _decide(
    bench: _Bench,
    first: Mapping[int, TokenLines],
    second: dict[int, TokenLines],
    ordinary: tuple[Float64Array, Float64Array],
    plan: ContractionPlan,
    progress: Progress,
) -> dict[int, TokenFinding]:
    """Return a finding for every token measured on the first set; what that finds goes through the second."""
    ids = sorted(first)
    effects = [estimate_effect(_by_probe(first[i]), ordinary[0], plan.minimum_effect) for i in ids]
    # Tokens that the screen left out count as p = 1 in the vocabulary. Where the user names tokens there is
    # no screen, and the family is what was tested.
    hypotheses = len(ids) if plan.requested is not None else max(len(plan.available), len(ids))
    q_values = benjamini_hochberg(np.array([e.p_value for e in effects]), hypotheses)
    found = [i for i, q in zip(ids, q_values, strict=True) if q <= plan.false_discovery_rate]
    todo = [i for i in {*found, *(plan.requested or ())} if i not in second]
    with progress.stage("confirmation", len(todo), "tokens") as stage:
        second |= bench.measure(1, sorted(todo), stage)
    again = {
        i: estimate_effect(_by_probe(second[i]), ordinary[1], plan.minimum_effect) for i in ids if i in second
    }
    confirmed = benjamini_hochberg(np.array([again[i].p_value for i in found]))
    confirmation_q = dict(zip(found, confirmed.tolist(), strict=True))
    return {
        token_id: TokenFinding(
            token_id=token_id,
            lines=first[token_id],
            effect=effect,
            q_value=float(q_value),
            confirmation=again.get(token_id),
            confirmation_q=confirmation_q.get(token_id),
            sticky=confirmation_q.get(token_id, 1.0) <= plan.false_discovery_rate,
            probe_slopes=_by_probe(first[token_id]),
        )
        for token_id, effect, q_value in zip(ids, effects, q_values, strict=True)
    }


def _check_screen(
    sample: Sequence[int],
    screened: Mapping[int, float],
    findings: Mapping[int, TokenFinding],
    shortlisted: set[int],
    plan: ContractionPlan,
) -> dict[str, float | int | None]:
    """Return how the screen agrees with the full measurement on the random sample."""
    from scipy import stats

    full = np.array([findings[i].effect.effect for i in sample])
    quick = np.array([screened[i] for i in sample])
    rank = stats.spearmanr(quick, full).statistic if len(sample) > 2 else np.nan
    check: dict[str, float | int | None] = {"sample": len(sample), "spearman": float(rank)}
    if plan.requested is not None:
        return check
    above = [i for i in sample if findings[i].effect.effect >= plan.minimum_effect]
    sticky = [i for i in sample if findings[i].sticky]
    missed = sum(i not in shortlisted for i in sticky)
    tested = stats.binomtest(missed, len(sample))
    share = tested.proportion_ci(0.95).high
    return {
        **check,
        "above_minimum": len(above),
        "above_minimum_kept": sum(i in shortlisted for i in above),
        "sticky": len(sticky),
        "sticky_missed": missed,
        # Upper end of the exact 95 % interval, scaled to the vocabulary.
        "missed_at_most": round(float(share) * len(plan.available), 1),
    }
