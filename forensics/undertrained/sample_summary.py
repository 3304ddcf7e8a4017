"""From the probed sample and the verdicts on what it left open to numbers about the whole ranking."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from forensics.schema.words import WEAK_BELOW, Role
from forensics.undertrained.probed_sample import ProbedSample
from forensics.undertrained.search_draws import Draws
from forensics.undertrained.search_plan import SearchPlan
from forensics.undertrained.tested_tokens import TestedTokens
from forensics.undertrained.token_evidence import PROBE_SHOWS
from forensics.undertrained.two_phase import ClassFloor, TwoPhase, missed_upper

__all__ = ["sum_up_sample"]


def sum_up_sample(
    plan: SearchPlan,
    draws: Draws,
    tested: TestedTokens,
    searched: int,
    counted: tuple[int, ...],
    sample: ProbedSample,
) -> TwoPhase:
    """Sum up the sample: only what lies below the tokens that were all verified stands for others.

    :param plan: What was asked for.
    :param draws: What was drawn.
    :param tested: The evidence.
    :param searched: How many tokens from the top of the ranking were all verified.
    :param counted: Those of them that verify.
    :param sample: What the probes showed.
    """
    below = np.array([draws.positions[t] >= searched for t in sample.tokens.tolist()], dtype=bool)
    tokens = sample.tokens[below].tolist()
    rest = len(draws.ranking) - searched
    shown = int((~sample.is_open[below]).sum())
    missed, checked = _checked_above_threshold(tested)
    return TwoPhase(
        method="census" if len(tokens) == rest else "two-phase",
        rest=rest,
        sampled=len(tokens),
        hits=tuple(t for t in tokens if tested.is_verified(t)),
        counted=counted,
        probed=len(sample.tokens),
        open_after=sample.open_after,
        missed_above_threshold_upper=missed_upper(missed, checked, round(shown * rest / max(1, len(tokens)))),
        checked_above_threshold=checked,
        floors=() if plan.lettered is None else _floors(tested, tokens, plan.lettered),
    )


def _checked_above_threshold(tested: TestedTokens) -> tuple[int, int]:
    """Return how many audit tokens a probe shows that the prompts alone verify, and how many it shows."""
    missed = checked = 0
    for token, evidence in tested.evidence.items():
        if tested.roles[token] is not Role.AUDIT:
            continue
        by_probe: list[float] = []
        by_prompts: list[float] = []
        for shown in evidence.prompts:
            (by_probe if shown.is_probe else by_prompts).extend(shown.counted)
        if any(p >= PROBE_SHOWS for p in by_probe) and by_prompts:
            checked += 1
            missed += max(by_prompts) < WEAK_BELOW
    return missed, checked


def _floors(tested: TestedTokens, tokens: Sequence[int], lettered: Collection[int]) -> tuple[ClassFloor, ...]:
    """Return the verified share of random tokens with and without a letter or digit."""
    parts = {"with a letter or digit": True, "without": False}
    named = [(name, [t for t in tokens if (t in lettered) is holds]) for name, holds in parts.items()]
    return tuple(ClassFloor(name, len(ids), sum(map(tested.is_verified, ids))) for name, ids in named)
