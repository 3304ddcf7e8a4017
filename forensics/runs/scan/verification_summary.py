"""The part of a scan's summary that tells what prompting and ordinary text showed."""

from __future__ import annotations

import math
from dataclasses import asdict

from forensics.runs.scan.verify import Verification
from forensics.schema.scan import (
    ClassFloorSummary,
    ControlsSummary,
    EstimateDetails,
    EstimateSummary,
    FloorSummary,
    InTextSummary,
    KinSummary,
    RecallSummary,
    RoleCounts,
    StratumSummary,
    VerificationSummary,
)
from forensics.schema.words import Interface, Role, Verdict
from forensics.undertrained.estimate import Estimate, clopper_pearson
from forensics.undertrained.search_down import WINDOW
from forensics.undertrained.search_plan import SearchResult, StoppedBy
from forensics.undertrained.tally import KinTally, tally
from forensics.undertrained.two_phase import TwoPhase
from forensics.undertrained.weights import WeightFindings

__all__ = ["verification_summary"]

_STOPPED = {
    StoppedBy.DRIED_UP: "verification dried up: the last {window} tokens were no longer above the floor",
    StoppedBy.MAX_CANDIDATES: "the bound on candidates was reached while tokens were still verifying",
    StoppedBy.END_OF_RANKING: "the end of the ranking was reached",
    StoppedBy.CENSUS: "all tokens below were probed, and those that the probes left open verified",
}


def verification_summary(findings: WeightFindings, verification: Verification) -> VerificationSummary:
    """Return the record of the verification; of a run without one only `skipped` says something.

    :param findings: What the weights tell.
    :param verification: What prompting and ordinary text showed.
    """
    result = verification.result
    if result is None:
        return VerificationSummary(skipped=verification.skipped)
    counts = tally(result, findings)
    # Where nothing can be verified, no share of verified tokens means anything.
    can_verify = verification.interface is not Interface.SAID
    is_talk = verification.interface is not None and verification.interface.is_conversation
    has_ranking = can_verify and bool(result.searched or result.strata or result.two_phase)
    return VerificationSummary(
        tested=counts.tested,
        verified=counts.verified,
        strong=counts.verdicts.get(Verdict.VERIFIED_STRONG, 0),
        weak=counts.verdicts.get(Verdict.VERIFIED_WEAK, 0),
        inconclusive=counts.verdicts.get(Verdict.INCONCLUSIVE, 0),
        rejected=counts.verdicts.get(Verdict.REJECTED, 0),
        not_encodable=counts.verdicts.get(Verdict.NOT_ENCODABLE, 0),
        same_rows_as_verified=counts.same_rows_as_verified,
        unknown_in_text=_unknown_in_text(verification, counts.verified),
        in_text=_in_text(verification),
        estimate_total=_number(result.estimate_total.value) if has_ranking else None,
        interval=_interval(result.estimate_total) if has_ranking else None,
        estimate=_details(result, verification) if has_ranking else None,
        expected_false_alarms=_estimate(result.expected_false_alarms) if has_ranking else None,
        false_alarm_floor=FloorSummary(
            share=_number(result.false_alarm_floor.value),
            interval=_interval(result.false_alarm_floor),
            n=result.false_alarm_floor_n,
        )
        if can_verify
        else None,
        recall=_recall(result, verification) if can_verify else None,
        controls=_controls(result, verification),
        kin=_kin(counts.kin),
        searched=result.searched,
        stopped=_stopped(result) if can_verify else None,
        stopped_by=result.stopped_by.value if can_verify else None,
        last_window=_estimate(result.last_window) if can_verify else None,
        strata=tuple(StratumSummary(**asdict(stratum)) for stratum in result.strata),
        by_role={role.value: RoleCounts(*tested) for role, tested in counts.by_role.items()},
        left_out={role.value: count for role, count in result.left_out.items()},
        by_source_prompts=None if is_talk else counts.by_source_prompts,
        prompts=dict(verification.prompts),
        prompts_unsuitable=result.prompts_unsuitable,
        skipped=None,
        interface=None if verification.interface is None else verification.interface.value,
    )


def _stopped(result: SearchResult) -> str:
    """Return why the search down the ranking went no further."""
    return _STOPPED[result.stopped_by].format(window=min(WINDOW, result.searched))


def _unknown_in_text(verification: Verification, verified: int) -> int | None:
    """Return how many verified tokens ordinary text does not clear; None where it was not looked at."""
    if verification.look is None:
        return None if verified else 0
    return len(verification.look.unknown_in_text)


def _in_text(verification: Verification) -> InTextSummary | None:
    look = verification.look
    if look is None:
        return None
    from forensics.undertrained.second_look import InText

    counts = look.counts()
    return InTextSummary(
        cleared=counts[InText.CLEARED],
        fails=counts[InText.FAILS],
        absent=counts[InText.ABSENT],
        text_tokens=look.text_tokens,
        positions=look.positions,
    )


def _details(result: SearchResult, verification: Verification) -> EstimateDetails:
    """Return how the estimate was found."""
    found = result.two_phase
    if found is None:
        return EstimateDetails(
            method="uniform",
            verified_in_sample=sum(stratum.verified for stratum in result.strata),
            sampled=sum(stratum.tested for stratum in result.strata),
            rest=sum(stratum.size for stratum in result.strata),
        )
    cleared = _cleared(verification)
    without = found.total(cleared)
    return EstimateDetails(
        method=found.method,
        probed=found.probed,
        probes=verification.probes,
        open_after=found.open_after,
        verified_in_sample=len(found.hits),
        sampled=found.sampled,
        rest=found.rest,
        cleared_by_text=len(cleared.intersection((*found.hits, *found.counted))),
        total_cleared_excluded=_number(without.value),
        interval_cleared_excluded=_interval(without),
        missed_above_threshold_upper=found.missed_above_threshold_upper,
        checked_above_threshold=found.checked_above_threshold,
        floors=_floors(found),
    )


def _floors(found: TwoPhase) -> tuple[ClassFloorSummary, ...]:
    return tuple(
        ClassFloorSummary(
            each.name, each.tested, each.verified, _number(each.share.value), _interval(each.share)
        )
        for each in found.floors
    )


def _recall(result: SearchResult, verification: Verification) -> RecallSummary:
    """Return what the search found of all that verifies, with and without what text clears."""
    sample = sum(role == Role.AUDIT for role in result.roles.values())
    outside = _estimate(result.audit_share)
    found = result.two_phase
    if found is None:
        return RecallSummary(sample=sample, verified_outside=outside)
    every, unknown = found.recall(), found.recall(_cleared(verification))
    return RecallSummary(
        sample=sample,
        verified_outside=outside,
        value=_number(every.value),
        interval=_interval(every),
        value_cleared_excluded=_number(unknown.value),
        interval_cleared_excluded=_interval(unknown),
    )


def _cleared(verification: Verification) -> frozenset[int]:
    return frozenset() if verification.look is None else verification.look.cleared


def _controls(result: SearchResult, verification: Verification) -> ControlsSummary:
    tested = len(verification.controls)
    return ControlsSummary(
        tested=tested,
        passed=round(result.controls_passed * tested) if tested else 0,
        share=_number(result.controls_passed),
    )


def _kin(found: KinTally) -> KinSummary | None:
    if not found.spoken_for:
        return None
    between = _interval(clopper_pearson(found.shown, found.read))
    return KinSummary(found.groups, found.read, found.shown, between, found.spoken_for)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _interval(estimate: Estimate) -> tuple[float | None, float | None]:
    return _number(estimate.low), _number(estimate.high)


def _estimate(estimate: Estimate) -> EstimateSummary:
    return EstimateSummary(_number(estimate.value), _interval(estimate))
