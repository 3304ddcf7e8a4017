"""A scan's rows by how frequent their tokens are: by id, and by count where the user gave a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forensics.runs.scan.examined import Examined
from forensics.runs.scan.ordinary_text import OrdinaryText
from forensics.schema.scan import ByCountSummary, CountEntry, EstimateSummary, FrequencyEntry
from forensics.schema.words import WEAK_BELOW
from forensics.undertrained.by_frequency import STRATA_BY_COUNT, by_count, by_id, count_strata
from forensics.undertrained.loss_by_count import StratumLoss, loss_of_strata
from forensics.undertrained.search_plan import SearchResult

__all__ = ["rows_by_count", "rows_by_frequency"]


def rows_by_frequency(examined: Examined, result: SearchResult | None) -> tuple[FrequencyEntry, ...]:
    """Return means over tenths of the ordinary tokens in the order of their ids.

    :param examined: The sources and what the weights tell.
    :param result: What prompting showed, or None.
    """
    strata = by_id(np.flatnonzero(examined.eligible), _measures(examined, result))
    return tuple(FrequencyEntry(each.name, each.tokens, each.means) for each in strata)


def rows_by_count(
    examined: Examined,
    result: SearchResult | None,
    text: OrdinaryText,
    losses: Sequence[npt.NDArray[np.float32]] | None,
) -> ByCountSummary | None:
    """Return means over the ordinary tokens by how often they occur in a text; None where none is counted.

    :param examined: The sources and what the weights tell.
    :param result: What prompting showed, or None.
    :param text: The text.
    :param losses: What the model loses on the stretches of it, or None.
    """
    if text.counts is None:
        return None
    ids = np.flatnonzero(examined.eligible)
    strata = by_count(ids, text.counts, _measures(examined, result))
    of_token = np.full(len(examined.eligible), -1, dtype=np.int64)
    of_token[ids] = count_strata(text.counts[ids])
    lost: list[StratumLoss] | None = None
    if losses is not None:
        read = [stretch[: len(loss) + 1] for stretch, loss in zip(text.stretches, losses, strict=True)]
        lost = loss_of_strata(read, losses, of_token, STRATA_BY_COUNT)
    return ByCountSummary(
        text_tokens=int(text.counts.sum()),
        held_out=sum(map(len, text.stretches)),
        strata=tuple(
            CountEntry(
                each.name,
                each.tokens,
                each.means,
                None if lost is None else lost[each.place].targets,
                None if lost is None else _estimate(lost[each.place]),
            )
            for each in strata
        ),
    )


def _measures(examined: Examined, result: SearchResult | None) -> dict[str, npt.NDArray[np.floating]]:
    """Return what is averaged, by name, shape (V,) each."""
    findings = examined.findings
    V = len(findings.ranks)
    measures: dict[str, npt.NDArray[np.floating]] = {
        "norm": findings.statistics.norms,
        "cosine_to_mean": findings.cosine_to_mean,
        findings.choice.name: findings.values,
    }
    if result is not None:
        verified = np.full(V, np.nan)
        for token, evidence in result.evidence.items():
            verified[token] = float(evidence.verdict.is_verified)
        probe_p = result.probe_p(V)
        measures["verified_share"] = verified
        measures["probe_below"] = np.where(np.isnan(probe_p), np.nan, probe_p < WEAK_BELOW)
    return measures


def _estimate(lost: StratumLoss) -> EstimateSummary:
    value, low, high = (None if math.isnan(x) else x for x in (lost.mean, lost.low, lost.high))
    return EstimateSummary(value, (low, high))
