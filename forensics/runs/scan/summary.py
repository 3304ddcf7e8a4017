"""The summary of a scan: the numbers of `summary.json`, from the objects that hold them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.runs.scan.verify import Verification
from forensics.schema.indicators import MEANINGS
from forensics.schema.words import Role, Verdict
from forensics.sources.interface import Checkpoint, TokenizerSource, Tying
from forensics.undertrained.estimate import Estimate
from forensics.undertrained.search_down import WINDOW
from forensics.undertrained.search_plan import SearchResult, StoppedBy
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["scan_summary", "tokenizer_facts"]

_STOPPED = {
    StoppedBy.DRIED_UP: "verification dried up: the last {window} tokens were no longer above the floor",
    StoppedBy.MAX_CANDIDATES: "the bound on candidates was reached while tokens were still verifying",
    StoppedBy.END_OF_RANKING: "the end of the ranking was reached",
}


def tokenizer_facts(source: TokenizerSource) -> dict[str, Any]:
    """Return what the summary says about a tokenizer."""
    return {
        "name": source.name,
        "format": source.format,
        "type": source.model.value,
        "vocab_size": len(source.pieces),
        "byte_level": source.byte_level,
        "byte_fallback": source.byte_fallback,
        "pretokenizer": source.pretokenizer_origin,
        "merges": len(source.merges),
        "added_tokens": len(source.added_tokens),
    }


def scan_summary(
    checkpoint: Checkpoint,
    source: TokenizerSource,
    vocabulary: Vocabulary,
    findings: WeightFindings,
    eligible: npt.NDArray[np.bool_],
    percent: float,
    verification: Verification,
) -> dict[str, Any]:
    """Return the summary without times and notes."""
    values = findings.values[eligible & np.isfinite(findings.values)]
    past = findings.past_vocabulary
    return {
        "kind": "scan",
        "model": checkpoint.name,
        "tokenizer": tokenizer_facts(source),
        "embedding": {
            "shape": list(checkpoint.embedding.shape),
            "dtype": checkpoint.embedding.dtype,
            "tied": is_tied(checkpoint),
            "bias": checkpoint.head_bias is not None,
            "in_name": checkpoint.embedding_name,
            "out_name": checkpoint.unembedding_name,
            "tying": checkpoint.tying.value,
            "tying_evidence": checkpoint.tying_evidence,
        },
        "counts": vocabulary.counts(),
        "sizes": {
            "config": checkpoint.config_vocab_size,
            "matrix": checkpoint.embedding.shape[0],
            "tokenizer": len(source.pieces),
            "past_vocabulary": None if past is None else asdict(past),
        },
        "reference": {
            "ids": list(findings.reference.ids),
            "how": list(findings.reference.how),
            "agreement": findings.reference.agreement,
            "kinds": [asdict(kind) for kind in findings.reference.kinds],
            "dropped": list(findings.reference.dropped),
            "has_evidence": findings.reference.has_evidence,
        },
        "indicator": {
            "name": findings.choice.name,
            "description": MEANINGS[findings.choice.name],
            "why": findings.choice.why,
            "separation": findings.choice.separation,
            "mean": float(values.mean(dtype=np.float64)) if len(values) else None,
            "sd": float(values.std(dtype=np.float64)) if len(values) else None,
            "threshold": findings.cut,
            "percent": percent,
            "cut": findings.cut,
            "n_candidates": len(findings.candidates),
            "data_driven": asdict(findings.threshold),
            "names": list(findings.indicators),
        },
        "rows": {
            "problems": findings.statistics.problem_counts(),
            "duplicate_groups": findings.identical.count,
            "duplicate_rows": int((findings.identical.group >= 0).sum()),
            "near_duplicate_groups": findings.near_identical.count,
            "near_duplicate_rows": int((findings.near_identical.group >= 0).sum()),
        },
        "verification": _verification(findings, verification),
    }


def is_tied(checkpoint: Checkpoint) -> bool:
    """Tell whether one matrix serves as embedding and unembedding, stored twice or not."""
    return checkpoint.tying in (Tying.TIED, Tying.TIED_STORED_TWICE, Tying.NEARLY_TIED)


def _verification(findings: WeightFindings, verification: Verification) -> dict[str, Any]:
    result = verification.result
    if result is None:
        return {"tested": 0, "verified": 0, "skipped": verification.skipped}
    # Controls are there to test the prompts, not to be tested.
    judged = {i: e for i, e in result.evidence.items() if result.roles[i] is not Role.CONTROL}
    verdicts = Counter(e.verdict for e in judged.values())
    speaking = {i for i, e in judged.items() if e.verdict.is_verified}
    spoken_for = np.isin(findings.representative, list(speaking)) & ~findings.is_representative
    has_ranking = bool(result.searched or result.strata)
    return {
        "tested": len(judged),
        "verified": len(speaking),
        "strong": verdicts[Verdict.VERIFIED_STRONG],
        "weak": verdicts[Verdict.VERIFIED_WEAK],
        "inconclusive": verdicts[Verdict.INCONCLUSIVE],
        "rejected": verdicts[Verdict.REJECTED],
        "not_encodable": verdicts[Verdict.NOT_ENCODABLE],
        "same_rows_as_verified": int(spoken_for.sum()),
        "estimate_total": _number(result.estimate_total.value) if has_ranking else None,
        "interval": _interval(result.estimate_total) if has_ranking else None,
        "expected_false_alarms": _estimate(result.expected_false_alarms) if has_ranking else None,
        "false_alarm_floor": {
            "share": _number(result.false_alarm_floor.value),
            "interval": _interval(result.false_alarm_floor),
            "n": result.false_alarm_floor_n,
        },
        "recall": {
            "sample": sum(1 for role in result.roles.values() if role is Role.AUDIT),
            "verified_outside": _estimate(result.audit_share),
        },
        "controls": {
            "tested": len(verification.controls),
            "passed": round(result.controls_passed * len(verification.controls))
            if verification.controls
            else 0,
            "share": _number(result.controls_passed),
        },
        "searched": result.searched,
        "stopped": _STOPPED[result.stopped_by].format(window=min(WINDOW, result.searched)),
        "stopped_by": result.stopped_by.value,
        "last_window": _estimate(result.last_window),
        "strata": [asdict(stratum) for stratum in result.strata],
        "by_role": _by_role(result),
        "left_out": {role.value: count for role, count in result.left_out.items()},
        "by_source_prompts": _verified_without_chat(judged.values()),
        "prompts": dict(verification.prompts),
        "prompts_unsuitable": result.prompts_unsuitable,
        "skipped": None,
    }


def _verified_without_chat(judged: Iterable[TokenEvidence]) -> int:
    """Count the tokens that the three prompts of the source alone would verify; the chat form is ours."""
    return sum(
        Verdict.of(
            max(
                (p for prompt in e.prompts if prompt.name != "chat" for p in prompt.probabilities),
                default=None,
            )
        ).is_verified
        for e in judged
    )


def _by_role(result: SearchResult) -> dict[str, dict[str, int]]:
    groups: dict[str, list[TokenEvidence]] = {}
    for token_id, evidence in result.evidence.items():
        groups.setdefault(result.roles[token_id].value, []).append(evidence)
    return {
        role: {"tested": len(found), "verified": sum(e.verdict.is_verified for e in found)}
        for role, found in groups.items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _interval(estimate: Estimate) -> list[float | None]:
    return [_number(estimate.low), _number(estimate.high)]


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"value": _number(estimate.value), "interval": _interval(estimate)}
