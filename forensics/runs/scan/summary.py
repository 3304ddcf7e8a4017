"""The summary of a scan as its record, from the objects that hold the numbers."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np

from forensics.runs.scan.examined import Examined, is_tied
from forensics.runs.scan.notes import scan_notes
from forensics.runs.scan.verify import Verification
from forensics.runs.tokenizer_facts import (
    role_agreement,
    special_tokens,
    tokenizer_facts,
    vocabulary_counts,
)
from forensics.schema.indicators import MEANINGS
from forensics.schema.scan import (
    ControlsSummary,
    EmbeddingFacts,
    EstimateSummary,
    FloorSummary,
    IndicatorSummary,
    PastVocabularySummary,
    RecallSummary,
    ReferenceKind,
    ReferenceSummary,
    RoleCounts,
    RowsSummary,
    ScanOptions,
    ScanSummary,
    SizesSummary,
    StratumSummary,
    ThresholdSummary,
    VerificationSummary,
)
from forensics.schema.words import Role, Verdict
from forensics.sources.interface import Checkpoint, TokenizerSource
from forensics.undertrained.estimate import Estimate
from forensics.undertrained.search_down import WINDOW
from forensics.undertrained.search_plan import SearchResult, StoppedBy
from forensics.undertrained.tally import tally
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.special import special_findings

__all__ = ["scan_summary"]

_STOPPED = {
    StoppedBy.DRIED_UP: "verification dried up: the last {window} tokens were no longer above the floor",
    StoppedBy.MAX_CANDIDATES: "the bound on candidates was reached while tokens were still verifying",
    StoppedBy.END_OF_RANKING: "the end of the ranking was reached",
}


def scan_summary(examined: Examined, options: ScanOptions, verification: Verification) -> ScanSummary:
    """Return the summary; times and memory are the frame's."""
    checkpoint, source, findings = examined.checkpoint, examined.source, examined.findings
    special = special_findings(source, examined.vocabulary)
    evidence = {} if verification.result is None else verification.result.evidence
    return ScanSummary(
        kind="scan",
        model=checkpoint.name,
        tokenizer=tokenizer_facts(source),
        embedding=_embedding(checkpoint),
        counts=vocabulary_counts(examined.vocabulary),
        sizes=_sizes(checkpoint, source, findings),
        reference=_reference(findings),
        indicator=_indicator(examined, options),
        rows=RowsSummary(
            problems=findings.statistics.problem_counts(),
            duplicate_groups=findings.identical.count,
            duplicate_rows=int((findings.identical.group >= 0).sum()),
            near_duplicate_groups=findings.near_identical.count,
            near_duplicate_rows=int((findings.near_identical.group >= 0).sum()),
        ),
        verification=_verification(findings, verification),
        special_tokens=special_tokens(special, {i: each.verdict.value for i, each in evidence.items()}),
        role_agreement=role_agreement(special),
        notes=scan_notes(examined, verification),
        seconds={},
        peak_rss_bytes=0,
    )


def _embedding(checkpoint: Checkpoint) -> EmbeddingFacts:
    return EmbeddingFacts(
        shape=tuple(checkpoint.embedding.shape),
        dtype=checkpoint.embedding.dtype,
        tied=is_tied(checkpoint),
        bias=checkpoint.head_bias is not None,
        in_name=checkpoint.embedding_name,
        out_name=checkpoint.unembedding_name,
        tying=checkpoint.tying.value,
        tying_evidence=checkpoint.tying_evidence,
    )


def _sizes(checkpoint: Checkpoint, source: TokenizerSource, findings: WeightFindings) -> SizesSummary:
    past = findings.past_vocabulary
    return SizesSummary(
        config=checkpoint.config_vocab_size,
        matrix=checkpoint.embedding.shape[0],
        tokenizer=len(source.pieces),
        past_vocabulary=None if past is None else PastVocabularySummary(**asdict(past)),
    )


def _reference(findings: WeightFindings) -> ReferenceSummary:
    found = findings.reference
    return ReferenceSummary(
        ids=tuple(int(i) for i in found.ids),
        how=tuple(found.how),
        agreement=found.agreement,
        kinds=tuple(ReferenceKind(**asdict(kind)) for kind in found.kinds),
        dropped=tuple(int(i) for i in found.dropped),
        has_evidence=found.has_evidence,
    )


def _indicator(examined: Examined, options: ScanOptions) -> IndicatorSummary:
    findings = examined.findings
    values = findings.values[examined.eligible & np.isfinite(findings.values)]
    return IndicatorSummary(
        name=findings.choice.name,
        description=MEANINGS[findings.choice.name],
        why=findings.choice.why,
        separation=findings.choice.separation,
        mean=float(values.mean(dtype=np.float64)) if len(values) else None,
        sd=float(values.std(dtype=np.float64)) if len(values) else None,
        threshold=findings.cut,
        percent=options.candidates,
        n_candidates=len(findings.candidates),
        data_driven=ThresholdSummary(**asdict(findings.threshold)),
        names=tuple(findings.indicators),
    )


def _verification(findings: WeightFindings, verification: Verification) -> VerificationSummary:
    result = verification.result
    if result is None:
        return VerificationSummary(skipped=verification.skipped)
    counts = tally(result, findings)
    has_ranking = bool(result.searched or result.strata)
    return VerificationSummary(
        tested=counts.tested,
        verified=counts.verified,
        strong=counts.verdicts.get(Verdict.VERIFIED_STRONG, 0),
        weak=counts.verdicts.get(Verdict.VERIFIED_WEAK, 0),
        inconclusive=counts.verdicts.get(Verdict.INCONCLUSIVE, 0),
        rejected=counts.verdicts.get(Verdict.REJECTED, 0),
        not_encodable=counts.verdicts.get(Verdict.NOT_ENCODABLE, 0),
        same_rows_as_verified=counts.same_rows_as_verified,
        estimate_total=_number(result.estimate_total.value) if has_ranking else None,
        interval=_interval(result.estimate_total) if has_ranking else None,
        expected_false_alarms=_estimate(result.expected_false_alarms) if has_ranking else None,
        false_alarm_floor=FloorSummary(
            share=_number(result.false_alarm_floor.value),
            interval=_interval(result.false_alarm_floor),
            n=result.false_alarm_floor_n,
        ),
        recall=RecallSummary(
            sample=sum(role == Role.AUDIT for role in result.roles.values()),
            verified_outside=_estimate(result.audit_share),
        ),
        controls=_controls(result, verification),
        searched=result.searched,
        stopped=_STOPPED[result.stopped_by].format(window=min(WINDOW, result.searched)),
        stopped_by=result.stopped_by.value,
        last_window=_estimate(result.last_window),
        strata=tuple(StratumSummary(**asdict(stratum)) for stratum in result.strata),
        by_role={role.value: RoleCounts(*tested) for role, tested in counts.by_role.items()},
        left_out={role.value: count for role, count in result.left_out.items()},
        by_source_prompts=counts.by_source_prompts,
        prompts=dict(verification.prompts),
        prompts_unsuitable=result.prompts_unsuitable,
        skipped=None,
    )


def _controls(result: SearchResult, verification: Verification) -> ControlsSummary:
    tested = len(verification.controls)
    return ControlsSummary(
        tested=tested,
        passed=round(result.controls_passed * tested) if tested else 0,
        share=_number(result.controls_passed),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _interval(estimate: Estimate) -> tuple[float | None, float | None]:
    return _number(estimate.low), _number(estimate.high)


def _estimate(estimate: Estimate) -> EstimateSummary:
    return EstimateSummary(_number(estimate.value), _interval(estimate))
