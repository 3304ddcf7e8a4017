"""The columns of the method `contraction`, one row per token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensics.schema.sticky import RetrievalSummary
from forensics.sticky.find_by_contraction import ContractionResult, TokenFinding
from forensics.sticky.statistics import interval_of_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["contraction_columns", "damage_columns"]

#: A line meets y = x far away and without meaning where its slope is this near to 1.
_NEARLY_PARALLEL = 0.05


def contraction_columns(result: ContractionResult, size: int) -> pd.DataFrame:
    """Return the columns of the method, one row per id below `size`.

    `sticky_score` is the screen's estimate of the effect, `validation` the effect on the second set. Ranks go
    by the effect among tokens that were shortlisted or found, then by the screen.
    """
    import pandas as pd

    table = pd.DataFrame(index=range(size))
    table["sticky_score"] = pd.Series(result.screened, dtype=np.float64)
    shortlisted = set(result.shortlisted)
    measured = shortlisted | set(result.sticky)
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


def damage_columns(retrieval: RetrievalSummary, size: int) -> pd.DataFrame:
    """Return what tokens do to a search, NaN for those that were not tried."""
    import pandas as pd

    tried = [*retrieval.tokens, *retrieval.ordinary_tokens]
    columns = {
        "ndcg_in_queries": {entry.token_id: entry.in_queries for entry in tried},
        "ndcg_in_documents": {entry.token_id: entry.in_documents for entry in tried},
    }
    table = pd.DataFrame(index=range(size))
    return table.assign(**{name: pd.Series(found, dtype=np.float64) for name, found in columns.items()})


def _columns(finding: TokenFinding) -> dict[str, float]:
    regression = finding.regression
    low, high = interval_of_mean(finding.probe_slopes)
    slope = float(finding.probe_slopes.mean())
    before, after = float(regression.mean_before.mean()), float(regression.mean_after.mean())
    below, above = regression.shift_below, regression.shift_above
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
        "fixed_point": (after - slope * before) / (1 - slope)
        if abs(1 - slope) > _NEARLY_PARALLEL
        else np.nan,
        "shift_below": float(np.nanmean(below)) if not np.isnan(below).all() else np.nan,
        "shift_above": float(np.nanmean(above)) if not np.isnan(above).all() else np.nan,
        "variance_ratio": float(regression.variance_ratio.mean()),
    }
