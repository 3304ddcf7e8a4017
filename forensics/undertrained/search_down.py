"""Which tokens are verified, in which order, and when it is enough.

A fixed cut of the ranked list hides what lies below it. So the least number of candidates is verified,
then the search goes on down the list until verification has dried up, and what remains is sampled.

*Dried up* means: among the last `WINDOW` tokens of the list the verified share is no longer significantly
above the false-alarm floor. The floor is the verified share of random tokens from the least suspicious
half of the ranking, and the comparison Fisher's exact test, one-sided, at `SIGNIFICANCE`. With some 50 tokens
in that sample, a window of 6 % still passes for dry where none of them verified, and one of 10 % where one
did; what such a rest adds up to is in the estimate, which does not depend on the rule. Without an audit
sample there is no floor to compare with, and the search ends with the candidates.

With probes (`probing`), what remains is not sampled by strata: a random sample of it, or all of it, is
probed, what the probes leave open is verified, and the floor is that of the sample's calm half, see
`forensics.undertrained.two_phase`. Audit tokens then go through the prompts whatever the probes say, and half
of them are drawn from those just above the probes' threshold, where a miss is most likely.

The order depends on the inputs and the random generator alone. Tokens go to the verifier in fixed blocks,
and a block of which some results are missing is computed again as a whole, so an interrupted run that is
resumed gives the same numbers, digit for digit, as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.schema.words import Role
from forensics.undertrained.estimate import Estimate, Stratum, estimate_total
from forensics.undertrained.probed_sample import ProbedSample, Probing, probe_sample
from forensics.undertrained.sample_summary import sum_up_sample
from forensics.undertrained.search_draws import Draws, draw_samples
from forensics.undertrained.search_plan import SearchPlan, SearchResult, StoppedBy
from forensics.undertrained.tested_tokens import BLOCK, TestedTokens, Verify
from forensics.undertrained.token_evidence import TokenEvidence

__all__ = ["SearchPlan", "SearchResult", "StoppedBy", "search_down"]

#: How far back verification must have dried up, in tokens.
WINDOW = 200
#: One-sided level of the test that a window is above the floor.
SIGNIFICANCE = 0.05
#: Strata below the stop: the end of each as a share of what remains, and its share of the sample. Two and
#: not more, because the exact limits of small samples do not add up kindly: five strata of 40 without a
#: single hit still allow 2,440 tokens among 48,000, two of 60 and 240 allow 730.
STRATA = ((1 / 8, 0.2), (1.0, 0.8))


def search_down(
    verify: Verify,
    plan: SearchPlan,
    rng: np.random.Generator,
    *,
    probing: Probing | None = None,
    known: Mapping[int, TokenEvidence] | None = None,
    on_result: Callable[[TokenEvidence], None] | None = None,
    progress: Progress | None = None,
) -> SearchResult:
    """Verify what `plan` asks for, and return what was found and what must be expected beyond it.

    :param verify: Puts tokens to the model, see `Verifier.verify`; evidence comes back in order.
    :param plan: What to test.
    :param rng: The run's generator; the same state gives the same samples.
    :param probing: How the rest is sampled by probes; None: strata of it are verified in full.
    :param known: Evidence from an interrupted run of the same plan.
    :param on_result: Called once for every token not in `known`, as its evidence arrives.
    :param progress: Told about tokens done and verified.
    :raises BadInputError: If a number in the plan is negative, or the ranking names a token twice.
    """
    _check(plan)
    draws = draw_samples(plan, rng, halve_audit=probing is not None)
    sample = None
    if probing is not None:
        sample = probe_sample(draws.rest(probing.sample), probing, progress)
    queue = _queue(plan, draws, verify, sample, probing)
    total = len({t for _, tokens, _ in queue for t in tokens})
    with (progress or Progress()).stage("verification", total, "tokens") as stage:
        tested = TestedTokens(verify, known or {}, on_result, stage)
        for role, tokens, how in queue:
            tested.add(role, tokens, how)
        if probing is not None and probing.sample is None:
            searched, stopped_by = draws.least, StoppedBy.CENSUS
        else:
            searched, stopped_by = _go_down(tested, draws, draws.calm(sample))
        samples = [] if sample is not None else _stratum_samples(draws, searched, plan.rest_sample)
        tested.expect(t for _, tokens in samples for t in tokens)
        for _, tokens in samples:
            tested.add(Role.STRATUM, tokens)
    return _conclude(plan, draws, tested, searched, stopped_by, samples, sample)


def _queue(
    plan: SearchPlan, draws: Draws, verify: Verify, sample: ProbedSample | None, probing: Probing | None
) -> list[tuple[Role, Sequence[int], Verify]]:
    """Return what is tested in any case, in order, with who tests it."""
    audit = verify if probing is None else probing.verify_past_probes
    queue: list[tuple[Role, Sequence[int], Verify]] = [
        (Role.CONTROL, plan.controls, verify),
        (Role.REQUESTED, plan.extra.get(Role.REQUESTED, ()), verify),
        (Role.CANDIDATE, draws.ranking[: draws.least], verify),
        (Role.AUDIT, draws.audit, audit),
        *((role, tokens, verify) for role, tokens in draws.extra.items()),
    ]
    if sample is not None and len(sample.tokens):
        queue += [
            (Role.AUDIT, sample.tokens[sample.is_near][: draws.near_audit].tolist(), audit),
            (Role.SAMPLE, sample.tokens[sample.is_open].tolist(), verify),
        ]
    return queue


def _conclude(
    plan: SearchPlan,
    draws: Draws,
    tested: TestedTokens,
    searched: int,
    stopped_by: StoppedBy,
    samples: Sequence[tuple[int, Sequence[int]]],
    sample: ProbedSample | None,
) -> SearchResult:
    """Sum up what was tested."""
    ranking = draws.ranking
    # Strata below the middle are random samples of the calm half too, and sharpen its share.
    middle = len(ranking) // 2
    drawn = [t for _, tokens in samples for t in tokens if draws.positions[t] >= middle]
    calm = sorted({*draws.calm(sample), *drawn})
    floor = tested.share(calm)
    strata = tuple(
        Stratum(size, len(tokens), sum(map(tested.is_verified, tokens))) for size, tokens in samples if size
    )
    counted = tuple(t for t in ranking[:searched] if tested.is_verified(t))
    two_phase = None if sample is None else sum_up_sample(plan, draws, tested, searched, counted, sample)
    return SearchResult(
        evidence=tested.evidence,
        roles=tested.roles,
        searched=searched,
        stopped_by=stopped_by,
        false_alarm_floor=floor,
        false_alarm_floor_n=len(calm),
        last_window=tested.share(ranking[max(0, searched - WINDOW) : searched]),
        audit_share=tested.share(draws.audit),
        estimate_total=two_phase.total() if two_phase else estimate_total(len(counted), strata),
        expected_false_alarms=Estimate(*(x * len(ranking) for x in (floor.value, floor.low, floor.high))),
        strata=strata,
        controls_passed=tested.passed(plan.controls),
        left_out={
            role: len(set(plan.extra[role])) - len(tokens)
            for role, tokens in draws.extra.items()
            if len(set(plan.extra.get(role, ()))) > len(tokens)
        },
        two_phase=two_phase,
        sample=sample,
    )


def _go_down(tested: TestedTokens, draws: Draws, calm: Sequence[int]) -> tuple[int, StoppedBy]:
    """Extend the candidates until they have dried up; return how far it went and why no further."""
    ranking, searched = draws.ranking, draws.least
    while searched < len(ranking):
        if _dried_up(tested, ranking[max(0, searched - WINDOW) : searched], calm):
            return searched, StoppedBy.DRIED_UP
        if searched >= draws.most:
            return searched, StoppedBy.MAX_CANDIDATES
        stop = min(searched + BLOCK, draws.most)
        tested.expect(ranking[searched:stop])
        tested.add(Role.EXTENSION, ranking[searched:stop])
        searched = stop
    return searched, StoppedBy.END_OF_RANKING


def _dried_up(tested: TestedTokens, window: Sequence[int], calm: Sequence[int]) -> bool:
    """Return whether the verified share of `window` is not significantly above that of `calm`."""
    from scipy.stats import fisher_exact

    above = sum(map(tested.is_verified, window))
    floor = sum(map(tested.is_verified, calm))
    table = [[above, len(window) - above], [floor, len(calm) - floor]]
    return bool(fisher_exact(table, alternative="greater")[1] > SIGNIFICANCE)


def _stratum_samples(draws: Draws, searched: int, size: int) -> list[tuple[int, list[int]]]:
    """Cut the ranking below `searched` into strata; return the size and a sample of each."""
    length = len(draws.ranking)
    ends = [searched + round(end * (length - searched)) for end, _ in STRATA]
    bounds = zip([searched, *ends[:-1]], ends, strict=True)
    return [
        (
            stop - start,
            _stratum_sample(draws.ranking, draws.shuffled, draws.audit, start, stop, round(share * size)),
        )
        for (start, stop), (_, share) in zip(bounds, STRATA, strict=True)
    ]


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


def _check(plan: SearchPlan) -> None:
    for name in ("least", "audit_sample", "rest_sample", "most_per_extra"):
        if getattr(plan, name) < 0:
            raise BadInputError(name, f"found {getattr(plan, name)}", "give 0 or more")
    if len(set(plan.ranking)) < len(plan.ranking):
        raise BadInputError("ranking", "a token occurs twice", "pass every token once")
