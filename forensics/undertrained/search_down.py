"""Which tokens are verified, in which order, and when it is enough.

A fixed cut of the ranked list hides what lies below it. So the least number of candidates is verified,
then the search goes on down the list until verification has dried up, and what remains is sampled.

*Dried up* means: among the last `WINDOW` tokens of the list the verified share is no longer significantly
above the false-alarm floor. The floor is the verified share of random tokens from the least suspicious
half of the ranking, and the comparison Fisher's exact test, one-sided, at `SIGNIFICANCE`. With some 50 tokens
in that sample, a window of 6 % still passes for dry where none of them verified, and one of 10 % where one
did; what such a rest adds up to is in the estimate, which does not depend on the rule. Without an audit
sample there is no floor to compare with, and the search ends with the candidates.

The order depends on the inputs and the random generator alone. Tokens go to the verifier in fixed blocks,
and a block of which some results are missing is computed again as a whole, so an interrupted run that is
resumed gives the same numbers, digit for digit, as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from forensics.errors import BadInputError
from forensics.progress import Progress, Stage
from forensics.schema.words import Role, Verdict
from forensics.undertrained.estimate import Estimate, Stratum, clopper_pearson, estimate_total
from forensics.undertrained.search_plan import SearchPlan, SearchResult, StoppedBy
from forensics.undertrained.token_evidence import TokenEvidence

__all__ = ["SearchPlan", "SearchResult", "StoppedBy", "search_down"]

#: Tokens that are verified together: enough to fill the batches of the long prompts' survivors.
BLOCK = 128
#: How far back verification must have dried up, in tokens.
WINDOW = 200
#: One-sided level of the test that a window is above the floor.
SIGNIFICANCE = 0.05
#: Strata below the stop: the end of each as a share of what remains, and its share of the sample. Two and
#: not more, because the exact limits of small samples do not add up kindly: five strata of 40 without a
#: single hit still allow 2,440 tokens among 48,000, two of 60 and 240 allow 730.
STRATA = ((1 / 8, 0.2), (1.0, 0.8))

Verify = Callable[[Sequence[int]], Sequence[TokenEvidence]]


#: Order in which the groups outside the ranking are tested.
_EXTRA_ROLES = (Role.BYTE, Role.SPECIAL, Role.PARTIAL_UTF8, Role.UNREACHABLE)


def search_down(
    verify: Verify,
    plan: SearchPlan,
    rng: np.random.Generator,
    *,
    known: Mapping[int, TokenEvidence] | None = None,
    on_result: Callable[[TokenEvidence], None] | None = None,
    progress: Progress | None = None,
) -> SearchResult:
    """Verify what `plan` asks for, and return what was found and what must be expected beyond it.

    :param verify: Puts tokens to the model, see `Verifier.verify`; evidence comes back in order.
    :param plan: What to test.
    :param rng: The run's generator; the same state gives the same samples.
    :param known: Evidence from an interrupted run of the same plan.
    :param on_result: Called once for every token not in `known`, as its evidence arrives.
    :param progress: Told about tokens done and verified.
    :raises BadInputError: If a number in the plan is negative, or the ranking names a token twice.
    """
    _check(plan)
    ranking = [int(t) for t in plan.ranking]
    least = min(plan.least, len(ranking))
    most = len(ranking) if plan.most is None else min(max(plan.most, least), len(ranking))
    # All draws are made before anything is verified, so that they do not depend on results.
    audit = _draw(rng, ranking[least:], plan.audit_sample)
    extra = {role: _draw(rng, plan.extra.get(role, ()), plan.most_per_extra) for role in _EXTRA_ROLES}
    shuffled = rng.permutation(len(ranking))  # the first k of a stratum in this order are its sample

    queue: list[tuple[Role, Sequence[int]]] = [
        (Role.CONTROL, plan.controls),
        (Role.REQUESTED, plan.extra.get(Role.REQUESTED, ())),
        (Role.CANDIDATE, ranking[:least]),
        (Role.AUDIT, audit),
        *extra.items(),
    ]
    total = len({t for _, tokens in queue for t in tokens})
    with (progress or Progress()).stage("verification", total, "tokens") as stage:
        tested = _Tested(verify, known or {}, on_result, stage)
        for role, tokens in queue:
            tested.add(role, tokens)
        positions = {token: i for i, token in enumerate(ranking)}
        calm = [t for t in audit if positions[t] >= len(ranking) // 2]
        searched, stopped_by = _go_down(tested, ranking, least, most, calm)
        bounds = _strata_bounds(searched, len(ranking))
        samples = [
            _stratum_sample(ranking, shuffled, audit, start, stop, round(share * plan.rest_sample))
            for (start, stop), (_, share) in zip(bounds, STRATA, strict=True)
        ]
        tested.expect(t for sample in samples for t in sample)
        for sample in samples:
            tested.add(Role.STRATUM, sample)
    # Strata below the middle are random samples of the calm half too, and sharpen its share.
    middle = len(ranking) // 2
    calm = sorted({*calm, *(t for s in samples for t in s if positions[t] >= middle)})
    floor = tested.share(calm)
    strata = tuple(
        Stratum(stop - start, len(sample), sum(tested.is_verified(t) for t in sample))
        for (start, stop), sample in zip(bounds, samples, strict=True)
        if stop > start
    )
    counted = sum(tested.is_verified(t) for t in ranking[:searched])
    return SearchResult(
        evidence=tested.evidence,
        roles=tested.roles,
        searched=searched,
        stopped_by=stopped_by,
        false_alarm_floor=floor,
        false_alarm_floor_n=len(calm),
        last_window=tested.share(ranking[max(0, searched - WINDOW) : searched]),
        audit_share=tested.share(audit),
        estimate_total=estimate_total(counted, strata),
        expected_false_alarms=Estimate(*(x * len(ranking) for x in (floor.value, floor.low, floor.high))),
        strata=strata,
        controls_passed=tested.passed(plan.controls),
        left_out={
            role: len(set(plan.extra[role])) - len(tokens)
            for role, tokens in extra.items()
            if len(set(plan.extra.get(role, ()))) > len(tokens)
        },
    )


class _Tested:
    """Evidence so far; tests every token once, block by block."""

    def __init__(
        self,
        verify: Verify,
        known: Mapping[int, TokenEvidence],
        on_result: Callable[[TokenEvidence], None] | None,
        stage: Stage,
    ) -> None:
        self.evidence: dict[int, TokenEvidence] = {}
        self.roles: dict[int, Role] = {}
        self._verify = verify
        self._known = known
        self._on_result = on_result
        self._stage = stage

    def add(self, role: Role, tokens: Sequence[int]) -> None:
        """Test those of `tokens` that have not been tested yet."""
        new = list(dict.fromkeys(int(t) for t in tokens if t not in self.evidence))
        for start in range(0, len(new), BLOCK):
            block = new[start : start + BLOCK]
            if not all(t in self._known for t in block):
                fresh = dict(zip(block, self._verify(block), strict=True))
            else:
                fresh = {}
            for token in block:
                self.roles[token] = role
                self.evidence[token] = self._known[token] if token in self._known else fresh[token]
                if token not in self._known and self._on_result is not None:
                    self._on_result(fresh[token])
            self._stage.advance(len(block), verified=sum(map(self.is_verified, self.evidence)))

    def expect(self, tokens: Iterator[int]) -> None:
        """Tell the stage what is still to come."""
        self._stage.set_total(len(self.evidence) + len({t for t in tokens if t not in self.evidence}))

    def is_verified(self, token: int) -> bool:
        return self.evidence[token].verdict.is_verified

    def share(self, tokens: Sequence[int]) -> Estimate:
        """Return the verified share of tokens that could be put to the model."""
        testable = [t for t in tokens if self.evidence[t].verdict is not Verdict.NOT_ENCODABLE]
        return clopper_pearson(sum(map(self.is_verified, testable)), len(testable))

    def passed(self, controls: Sequence[int]) -> float:
        """Return the share of controls the model produced, NaN without any."""
        verdicts = [self.evidence[t].verdict for t in controls]
        return sum(v is Verdict.REJECTED for v in verdicts) / len(verdicts) if verdicts else float("nan")


def _go_down(
    tested: _Tested, ranking: Sequence[int], least: int, most: int, calm: Sequence[int]
) -> tuple[int, StoppedBy]:
    """Extend the candidates until they have dried up; return how far it went and why no further."""
    searched = least
    while searched < len(ranking):
        if _dried_up(tested, ranking[max(0, searched - WINDOW) : searched], calm):
            return searched, StoppedBy.DRIED_UP
        if searched >= most:
            return searched, StoppedBy.MAX_CANDIDATES
        stop = min(searched + BLOCK, most)
        tested.expect(iter(ranking[searched:stop]))
        tested.add(Role.EXTENSION, ranking[searched:stop])
        searched = stop
    return searched, StoppedBy.END_OF_RANKING


def _dried_up(tested: _Tested, window: Sequence[int], calm: Sequence[int]) -> bool:
    """Return whether the verified share of `window` is not significantly above that of `calm`."""
    from scipy.stats import fisher_exact

    above = sum(map(tested.is_verified, window))
    floor = sum(map(tested.is_verified, calm))
    table = [[above, len(window) - above], [floor, len(calm) - floor]]
    return bool(fisher_exact(table, alternative="greater")[1] > SIGNIFICANCE)


def _strata_bounds(searched: int, length: int) -> list[tuple[int, int]]:
    """Cut the ranking below `searched` into strata; one may be empty."""
    ends = [searched + round(end * (length - searched)) for end, _ in STRATA]
    return list(zip([searched, *ends[:-1]], ends, strict=True))


def _stratum_sample(
    ranking: Sequence[int], shuffled: np.ndarray, audit: Sequence[int], start: int, stop: int, size: int
) -> list[int]:
    """Return a random sample of `ranking[start:stop]`: the audit tokens in it, topped up to `size`.

    The audit tokens that lie in the stratum are a random sample of it already.
    """
    inside = set(ranking[start:stop])
    sample = [t for t in audit if t in inside]
    taken = set(sample)
    in_order = (ranking[i] for i in shuffled if start <= i < stop)
    for token in in_order:
        if len(sample) >= size:
            break
        if token not in taken:
            sample.append(token)
    return sample


def _draw(rng: np.random.Generator, tokens: Sequence[int], size: int) -> list[int]:
    """Draw `size` different tokens at random (all of them, in order, where there are no more)."""
    pool = list(dict.fromkeys(int(t) for t in tokens))
    if len(pool) <= size:
        return pool
    return [pool[i] for i in sorted(rng.choice(len(pool), size, replace=False))]


def _check(plan: SearchPlan) -> None:
    for name in ("least", "audit_sample", "rest_sample", "most_per_extra"):
        if getattr(plan, name) < 0:
            raise BadInputError(name, f"found {getattr(plan, name)}", "give 0 or more")
    if len(set(plan.ranking)) < len(plan.ranking):
        raise BadInputError("ranking", "a token occurs twice", "pass every token once")
