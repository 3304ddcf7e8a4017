"""Method `contraction`: screen every token, measure the suspicious ones, confirm what is found.

A token is sticky if, on the first set of sentences, it contracts more than the median ordinary token by
more than a minimum effect (Student's t over probes, Benjamini-Hochberg over the whole vocabulary), and if
the same holds on a second set of sentences that shares none with the first. Nothing here is a quantile of
the vocabulary, so "none found" is a possible answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sticky.contraction import TokenRegression
from forensics.sticky.interface import Encoder, Float64Array, Keep, Recall
from forensics.sticky.ordinary import Ordinary, by_probe, describe_ordinary, least_effect, robust_spread
from forensics.sticky.probes import ProbeSet
from forensics.sticky.screen_recall import ScreenRecall, below_the_bar, draw_from_bands, estimate_recall
from forensics.sticky.screening import BLOCK
from forensics.sticky.statistics import (
    Effect,
    benjamini_hochberg,
    estimate_effect,
    rank_correlation,
)
from forensics.sticky.token_meter import TokenMeter

__all__ = ["ORDINARY_SAMPLE", "ContractionPlan", "ContractionResult", "TokenFinding", "find_by_contraction"]

#: Random tokens whose median is the ordinary token. On all-MiniLM-L6-v2 another sample of 64 moves the
#: ordinary slope by 1.1 % (standard error; 256: 0.5 %), which widens the interval of a token of effect 0.3
#: by 4 %, where the choice of 16 probes alone gives a standard error of 0.028. Both sets of sentences are
#: measured for all of them, also where a user asks for ten tokens.
ORDINARY_SAMPLE = 64
#: Fewer tokens than this have no median worth the name.
LEAST_TOKENS = 10
#: Effects are shares of the ordinary slope; below this they are mostly noise.
LEAST_SLOPE = 0.05


@dataclass(frozen=True)
class ContractionPlan:
    """What is measured and what counts."""

    #: Tokens that some text produces, rising ids: the vocabulary of the false-discovery control.
    available: Sequence[int]
    #: Measure just these, available or not; None for all.
    requested: Sequence[int] | None = None
    #: The least share of the available tokens that is measured in full, in percent.
    shortlist: float = 2.0
    #: Random available tokens whose median is the ordinary token.
    sample: int = ORDINARY_SAMPLE
    #: The least effect that counts; None for the rule of `forensics.sticky.ordinary.least_effect`.
    minimum_effect: float | None = None
    #: Tolerated share of false discoveries, in each of the two sets.
    false_discovery_rate: float = 0.05
    #: What the samples are drawn from.
    seed: int = 0


@dataclass(frozen=True)
class TokenFinding:
    """One token that was measured in full, at least on the first set of sentences."""

    token_id: int
    #: On the first set.
    regression: TokenRegression
    effect: Effect
    #: Over the vocabulary, on the first set.
    q_value: float
    #: On the second set, for what the first set found and the random sample.
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
    #: Ids of the random sample of ordinary tokens.
    sample: tuple[int, ...]
    #: The median ordinary token on the first and the second set.
    ordinary: tuple[Ordinary, Ordinary]
    #: Standard deviation of the effects of ordinary tokens, outliers left out of account.
    spread: float
    #: The least effect that counts.
    minimum_effect: float
    #: What the screen lets slip; None where tokens were asked for.
    recall: ScreenRecall | None

    @property
    def sticky(self) -> tuple[int, ...]:
        """Tokens found, the strongest first."""
        found = [i for i, finding in self.findings.items() if finding.sticky]
        return tuple(sorted(found, key=lambda i: (-self.findings[i].effect.effect, i)))

    def screen_agreement(self) -> float | None:
        """Return how the screen ranks the random sample like the full measurement does (Spearman)."""
        quick = [self.screened[i] for i in self.sample]
        return rank_correlation(quick, [self.findings[i].effect.effect for i in self.sample])

    def share_found(self, missed: float) -> float | None:
        """Return the share of the sticky tokens that was found, if so many were missed."""
        found = len(self.sticky)
        return found / (found + missed) if found else None


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
    :raises BadInputError: If there are too few tokens, or any token at all flattens every difference.
    """
    progress = progress or Progress()
    meter = TokenMeter(encoder, screen_encoder or encoder, sets, u, recall, keep)
    sample = _draw_sample(plan)
    with progress.stage("ordinary tokens", 2 * len(sample), "tokens") as stage:
        first, second = (meter.measure(which, sample, stage) for which in (0, 1))
    ordinary = (describe_ordinary(first, [plan.seed, 0]), describe_ordinary(second, [plan.seed, 1]))
    _refuse_flat(encoder, ordinary)
    # The mean of both sets: what lies between two tokens on one set only is the probes' noise.
    spread = robust_spread((ordinary[0].effects + ordinary[1].effects) / 2)
    minimum = least_effect(spread) if plan.minimum_effect is None else plan.minimum_effect
    screened = _screen(meter, sample, plan, progress)
    shortlisted = _shortlist(screened, plan, minimum)
    bands = below_the_bar(screened, shortlisted) if plan.requested is None else []
    rng = np.random.default_rng([plan.seed, len(plan.available), 1])
    drawn = draw_from_bands(bands, first.keys() | set(shortlisted), rng)
    for name, ids in (("full measurement", shortlisted), ("below the bar", drawn)):
        todo = [i for i in ids if i not in first]
        with progress.stage(name, len(todo), "tokens") as stage:
            first |= meter.measure(0, todo, stage)
    findings = _decide(meter, first, second, ordinary, minimum, plan, progress)
    effects = {i: finding.effect.effect for i, finding in findings.items()}
    sticky = [i for i, finding in findings.items() if finding.sticky]
    return ContractionResult(
        screened=screened,
        findings=findings,
        shortlisted=tuple(shortlisted),
        sample=tuple(sample),
        ordinary=ordinary,
        spread=spread,
        minimum_effect=minimum,
        recall=estimate_recall(bands, screened, effects, sticky, sample) if bands else None,
    )


def _refuse_flat(encoder: Encoder, ordinary: tuple[Ordinary, Ordinary]) -> None:
    """Refuse a model in which any token at all flattens every difference: nothing can be told apart."""
    least = min(float(each.slopes.mean()) for each in ordinary)
    if least < LEAST_SLOPE:
        found = f"the median ordinary token leaves a slope of {least:.3f}, at least {LEAST_SLOPE} is needed"
        raise BadInputError(encoder.path, found, "use fewer `insertions` or longer sentences")


def _draw_sample(plan: ContractionPlan) -> list[int]:
    """Return the ids of the ordinary sample, rising.

    :raises BadInputError: If there are too few tokens to speak of ordinary ones.
    """
    if len(plan.available) < LEAST_TOKENS:
        found = f"{len(plan.available)} tokens that a text can hold, at least {LEAST_TOKENS} are needed"
        raise BadInputError("the vocabulary", found, "name a model with its own tokenizer")
    rng = np.random.default_rng([plan.seed, len(plan.available)])
    size = min(plan.sample, len(plan.available))
    return sorted(int(i) for i in rng.choice(np.array(plan.available), size=size, replace=False))


def _cut(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[start : start + BLOCK]) for start in range(0, len(ids), BLOCK)]


def _screen(
    meter: TokenMeter, sample: Sequence[int], plan: ContractionPlan, progress: Progress
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
        slopes = meter.screen(blocks, stage)
        ordinary = np.median([slopes[i] for i in sample], axis=0)
        slopes |= meter.screen(rest, stage)
    return {i: float(1 - slopes[i].mean() / ordinary.mean()) for i in sorted(slopes)}


def _shortlist(screened: Mapping[int, float], plan: ContractionPlan, minimum: float) -> list[int]:
    """Return the ids to be measured in full, rising.

    The bar is the least effect itself, with no margin: the highest of many noisy values are too high (on
    all-MiniLM-L6-v2 302 tokens screened at 0.30 to 0.35 measured 0.18 on average, 0.39 at most), and a token
    must measure well above the least effect to be found.
    """
    if plan.requested is not None:
        return sorted(set(plan.requested))
    ranked = sorted(screened, key=lambda i: (-screened[i], i))
    least = int(np.ceil(len(plan.available) * plan.shortlist / 100))
    return sorted(i for rank, i in enumerate(ranked) if rank < least or screened[i] >= minimum)


def _decide(
    meter: TokenMeter,
    first: Mapping[int, TokenRegression],
    second: dict[int, TokenRegression],
    ordinary: tuple[Ordinary, Ordinary],
    minimum: float,
    plan: ContractionPlan,
    progress: Progress,
) -> dict[int, TokenFinding]:
    """Return a finding for every token measured on the first set; what that finds goes through the second."""
    ids = sorted(first)

    def effect_of(regression: TokenRegression, reference: Ordinary) -> Effect:
        return estimate_effect(by_probe(regression), reference.slopes, minimum, reference.error)

    effects = [effect_of(first[i], ordinary[0]) for i in ids]
    # Tokens that the screen left out count as p = 1 in the vocabulary. Where the user names tokens there is
    # no screen, and the family is what was tested.
    hypotheses = len(ids) if plan.requested is not None else max(len(plan.available), len(ids))
    q_values = benjamini_hochberg(np.array([e.p_value for e in effects]), hypotheses)
    found = [i for i, q in zip(ids, q_values, strict=True) if q <= plan.false_discovery_rate]
    todo = [i for i in found if i not in second]
    with progress.stage("confirmation", len(todo), "tokens") as stage:
        second |= meter.measure(1, todo, stage)
    again = {i: effect_of(second[i], ordinary[1]) for i in ids if i in second}
    confirmed = benjamini_hochberg(np.array([again[i].p_value for i in found]))
    confirmation_q = dict(zip(found, confirmed.tolist(), strict=True))
    return {
        token_id: TokenFinding(
            token_id=token_id,
            regression=first[token_id],
            effect=effect,
            q_value=float(q_value),
            confirmation=again.get(token_id),
            confirmation_q=confirmation_q.get(token_id),
            sticky=confirmation_q.get(token_id, 1.0) <= plan.false_discovery_rate,
            probe_slopes=by_probe(first[token_id]),
        )
        for token_id, effect, q_value in zip(ids, effects, q_values, strict=True)
    }
