"""Everything that a search down the list draws at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.words import Role
from forensics.undertrained.probed_sample import ProbedSample
from forensics.undertrained.search_plan import SearchPlan

__all__ = ["Draws", "draw_samples"]

#: Order in which the groups outside the ranking are tested.
_EXTRA_ROLES = (Role.BYTE, Role.SPECIAL, Role.PARTIAL_UTF8, Role.UNREACHABLE)


@dataclass(frozen=True)
class Draws:
    """Everything drawn at random, before anything is verified, so that it does not depend on results."""

    ranking: list[int]
    positions: dict[int, int]
    #: Tokens of the ranking verified in any case, and at most one by one.
    least: int
    most: int
    #: Random tokens from below the candidates.
    audit: list[int]
    #: How many more audit tokens are taken from those near the threshold of the first probe.
    near_audit: int
    extra: dict[Role, list[int]]
    #: Positions in random order: the first k of a stretch in this order are its sample.
    shuffled: npt.NDArray[np.int64]

    def rest(self, size: int | None) -> list[int]:
        """Return a random sample of the tokens below the candidates, or all of them in random order."""
        return [self.ranking[i] for i in self.shuffled if i >= self.least][:size]

    def calm(self, sample: ProbedSample | None) -> list[int]:
        """Return the random tokens of the least suspicious half."""
        drawn = self.audit if sample is None or not len(sample.tokens) else sample.tokens.tolist()
        return [t for t in drawn if self.positions[t] >= len(self.ranking) // 2]


def draw_samples(plan: SearchPlan, rng: np.random.Generator, *, halve_audit: bool) -> Draws:
    """Draw what `plan` asks for.

    :param halve_audit: Whether half of the audit tokens come from the probed sample, see `Draws.near_audit`.
    """
    ranking = [int(t) for t in plan.ranking]
    least = min(plan.least, len(ranking))
    near = plan.audit_sample // 2 if halve_audit else 0
    return Draws(
        ranking=ranking,
        positions={token: i for i, token in enumerate(ranking)},
        least=least,
        most=len(ranking) if plan.most is None else min(max(plan.most, least), len(ranking)),
        audit=_draw(rng, ranking[least:], plan.audit_sample - near),
        near_audit=near,
        extra={role: _draw(rng, plan.extra.get(role, ()), plan.most_per_extra) for role in _EXTRA_ROLES},
        shuffled=rng.permutation(len(ranking)),
    )


def _draw(rng: np.random.Generator, tokens: Sequence[int], size: int) -> list[int]:
    """Draw `size` different tokens at random (all of them, in order, where there are no more)."""
    pool = list(dict.fromkeys(int(t) for t in tokens))
    if len(pool) <= size:
        return pool
    return [pool[i] for i in sorted(rng.choice(len(pool), size, replace=False))]
