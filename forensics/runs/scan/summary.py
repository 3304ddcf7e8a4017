"""The summary of a scan as its record, from the objects that hold the numbers."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from forensics.runs.scan.examined import Examined, is_tied
from forensics.runs.scan.notes import scan_notes
from forensics.runs.scan.verification_summary import verification_summary
from forensics.runs.scan.verify import Verification
from forensics.runs.tokenizer_facts import (
    role_agreement,
    special_tokens,
    tokenizer_facts,
    vocabulary_counts,
)
from forensics.schema.indicators import MEANINGS
from forensics.schema.scan import (
    EmbeddingFacts,
    IndicatorSummary,
    PastVocabularySummary,
    ReferenceKind,
    ReferenceSummary,
    RowsSummary,
    ScanOptions,
    ScanSummary,
    SizesSummary,
    ThresholdSummary,
    WitnessesSummary,
)
from forensics.sources.interface import Checkpoint, TokenizerSource
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.special import special_findings

__all__ = ["scan_summary"]


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
        verification=verification_summary(findings, verification),
        special_tokens=special_tokens(special, {i: each.verdict.value for i, each in evidence.items()}),
        role_agreement=role_agreement(special),
        notes=scan_notes(examined, verification),
        seconds={},
        peak_rss_bytes=0,
        witnesses=_witnesses(findings),
    )


def _witnesses(findings: WeightFindings) -> WitnessesSummary | None:
    if findings.nearest is None or findings.letters is None:
        return None
    return WitnessesSummary(findings.nearest.how, findings.letters.words, findings.letters.auc)


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
