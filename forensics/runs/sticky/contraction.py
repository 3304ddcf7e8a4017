"""`sticky --method contraction` as a run: sentences in, table columns and summary out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.progress import Progress
from forensics.runs.sticky.inputs import StickyOptions, sentence_sets
from forensics.runs.sticky.kept_results import Memory
from forensics.sticky.find_by_contraction import (
    ContractionPlan,
    ContractionResult,
    TokenFinding,
    find_by_contraction,
)
from forensics.sticky.interface import Encoder
from forensics.sticky.ordinary import LEAST_EFFECT, SPREADS
from forensics.sticky.probes import ProbeSet, build_probe_set
from forensics.sticky.statistics import interval_of_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "PROBES",
    "SCREEN_PROBES",
    "contraction_columns",
    "contraction_summary",
    "probe_sets",
    "run_contraction",
]

#: Probes of the full measurement, each with three modes: 48 encodes a token and set.
PROBES = 16
#: Probes of the screen, one mode each. On 300 random tokens of all-MiniLM-L6-v2, six probes with the modes
#: in turn rank tokens like the full measurement on other sentences does (Spearman 0.87), two probes with
#: all three modes, the same cost, less so (0.78).
SCREEN_PROBES = 6


def probe_sets(encoder: Encoder, options: StickyOptions, seed: int) -> tuple[ProbeSet, ProbeSet]:
    """Return the probes to find on and those to confirm on."""
    first, second = (
        build_probe_set(
            encoder,
            sentences,
            name=name,
            copies=options.insertions,
            probes=PROBES,
            screen_probes=SCREEN_PROBES,
            seed=2 * seed + which,
        )
        for which, (name, sentences) in enumerate(sentence_sets(options))
    )
    return first, second


def run_contraction(
    encoder: Encoder,
    sets: tuple[ProbeSet, ProbeSet],
    u: float,
    available: list[int],
    options: StickyOptions,
    seed: int,
    memory: Memory,
    progress: Progress,
    screen_encoder: Encoder | None = None,
) -> ContractionResult:
    """Measure, with an interrupted run's results taken up."""
    plan = ContractionPlan(
        available=available,
        requested=options.tokens,
        shortlist=options.shortlist,
        minimum_effect=options.minimum_effect,
        sample=options.ordinary_sample,
        seed=seed,
    )
    return find_by_contraction(
        encoder,
        sets,
        u,
        plan,
        screen_encoder=screen_encoder,
        recall=memory.recall,
        keep=memory.keep,
        progress=progress,
    )


def contraction_columns(result: ContractionResult, size: int) -> pd.DataFrame:
    """Return the columns of the method, one row per id below `size`.

    `sticky_score` is the screen's estimate of the effect, `validation` the effect on the second set. Ranks go
    by the effect among tokens that were shortlisted or found, then by the screen.
    """
    import pandas as pd

    table = pd.DataFrame(index=range(size))
    table["sticky_score"] = pd.Series(result.screened, dtype=np.float64)
    shortlisted = set(result.shortlisted)
    measured = shortlisted | {i for i, finding in result.findings.items() if finding.sticky}
    by_effect = sorted(measured, key=lambda i: (-result.findings[i].effect.effect, i))
    rest = sorted(set(result.screened) - measured, key=lambda i: (-result.screened[i], i))
    table["rank"] = pd.Series({i: rank for rank, i in enumerate([*by_effect, *rest], 1)}, dtype="Int32")
    table["shortlisted"] = [i in shortlisted for i in range(size)]
    columns = pd.DataFrame.from_dict(
        {i: _columns(finding) for i, finding in result.findings.items()}, orient="index", dtype=np.float64
    )
    table = table.join(columns)
    table["sticky"] = [i in result.findings and result.findings[i].sticky for i in range(size)]
    return table


def _columns(finding: TokenFinding) -> dict[str, float]:
    lines = finding.lines
    low, high = interval_of_mean(finding.probe_slopes)
    slope = float(finding.probe_slopes.mean())
    before, after = float(lines.mean_before.mean()), float(lines.mean_after.mean())
    below, above = lines.shift_below, lines.shift_above
    confirmation = finding.confirmation
    return {
        "validation": np.nan if confirmation is None else confirmation.effect,
        "validation_low": np.nan if confirmation is None else confirmation.low,
        "effect": finding.effect.effect,
        "effect_low": finding.effect.low,
        "effect_high": finding.effect.high,
        "q_value": finding.q_value,
        "slope": slope,
        "slope_low": low,
        "slope_high": high,
        # Where the line meets y = x; far away and without meaning where the slope is nearly 1.
        "fixed_point": (after - slope * before) / (1 - slope) if abs(1 - slope) > 0.05 else np.nan,
        "shift_below": float(np.nanmean(below)) if not np.isnan(below).all() else np.nan,
        "shift_above": float(np.nanmean(above)) if not np.isnan(above).all() else np.nan,
        "variance_ratio": float(lines.variance_ratio.mean()),
    }


def contraction_summary(
    result: ContractionResult, sets: tuple[ProbeSet, ProbeSet], options: StickyOptions
) -> dict[str, Any]:
    """Return the method's part of `summary.json`."""
    findings = result.findings.values()
    effects = result.ordinary[0].effects
    quantiles = np.quantile(effects, [0.05, 0.5, 0.95, 0.99]).tolist()
    return {
        "shortlisted": len(result.shortlisted),
        "sticky": sum(finding.sticky for finding in findings),
        "found_before_confirmation": sum(finding.confirmation_q is not None for finding in findings),
        "minimum_effect": result.minimum_effect,
        "minimum_effect_from": _origin_of_minimum(result, options),
        "false_discovery_rate": 0.05,
        "ordinary_slope": [float(ordinary.slopes.mean()) for ordinary in result.ordinary],
        "ordinary_slope_error": [ordinary.error for ordinary in result.ordinary],
        "ordinary_sample": len(result.sample),
        "ordinary_spread": result.spread,
        "ordinary_effects": dict(zip(("q05", "median", "q95", "q99"), quantiles, strict=True)),
        "screen": _screen_summary(result),
        "sets": [
            {"name": s.name, "sentences": len(s.contents), "probes": PROBES, "screen_probes": SCREEN_PROBES}
            for s in sets
        ],
    }


def _origin_of_minimum(result: ContractionResult, options: StickyOptions) -> str:
    """Say which rule set the least effect that counts."""
    if options.minimum_effect is not None:
        return "given with --minimum-effect"
    if result.minimum_effect > LEAST_EFFECT:
        return f"{SPREADS:g} standard deviations of the ordinary tokens"
    return "the least that a user notices"


def _screen_summary(result: ContractionResult) -> dict[str, Any]:
    """Return how the screen agrees with the full measurement, and what it lets slip."""
    from scipy import stats

    quick = [result.screened[i] for i in result.sample]
    full = [result.findings[i].effect.effect for i in result.sample]
    summary: dict[str, Any] = {
        "sample": len(quick),
        "spearman": float(stats.spearmanr(quick, full).statistic) if len(quick) > 2 else None,
    }
    if result.recall is None:
        return summary
    found = sum(finding.sticky for finding in result.findings.values())
    missed = result.recall.expected_missed
    return {
        **summary,
        "found_below_the_bar": sum(band.sticky for band in result.recall.bands),
        **result.recall.to_json(),
        "recall": found / (found + missed) if found else None,
        "recall_at_least": found / (found + max(result.recall.missed_at_most, missed)) if found else None,
    }
