"""The table of `repair`: what was in every row and what is there afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forensics.runs.repair.guarding import Guarded
from forensics.runs.repair.inputs import RepairInputs
from forensics.runs.repair.plan import RepairPlan
from forensics.sources.tensors.safetensors_rewrite import RowChange
from forensics.vocabulary.spelling import text_of_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rows_table"]


def rows_table(inputs: RepairInputs, plan: RepairPlan, guarded: Guarded | None) -> pd.DataFrame:
    """Return one row per row that is replaced or added.

    :param inputs: What was open.
    :param plan: What is to be written.
    :param guarded: What the guard saw; None where there was nothing to guard.
    """
    import pandas as pd

    ids = plan.ids.tolist()
    spelt = [plan.bytes_of[row] if row < len(plan.bytes_of) else None for row in ids]
    pieces = [inputs.source.pieces[row] if row < len(inputs.source.pieces) else None for row in ids]
    columns: dict[str, Any] = {
        "token_id": plan.ids,
        "piece": [piece or "" for piece in pieces],
        "text": [text_of_bytes(data) for data in spelt],
        "bytes": spelt,
        "why": [inputs.selection.why[row] for row in ids],
        "duplicate_group": _groups(inputs, plan.ids),
        "parts": [json.dumps(plan.parts[row]) if row in plan.parts else None for row in ids],
        "ein_norm_before": _before(plan.norms, plan.ids),
        "ein_norm_after": _norms(plan.embedding),
    }
    if plan.head is not None and plan.head_norms is not None:
        columns["eout_norm_before"] = _before(plan.head_norms, plan.ids)
        columns["eout_norm_after"] = _norms(plan.head)
    if guarded is not None:
        columns |= {
            "mean_p_before": guarded.mean_before,
            "mean_p_after": guarded.mean_after,
            "max_p_before": guarded.max_before,
            "max_p_after": guarded.max_after,
        }
    return pd.DataFrame(columns)


def _groups(inputs: RepairInputs, ids: npt.NDArray[np.int64]) -> pd.Series[Any]:
    """Return the group of identical rows that each belonged to, null for others and for new rows."""
    import pandas as pd

    tokens = inputs.scan.tokens
    if "duplicate_group" not in tokens.columns:
        return pd.Series([pd.NA] * len(ids), dtype="Int32")
    return tokens["duplicate_group"].astype("Int32").reindex(ids).reset_index(drop=True)


def _before(norms: npt.NDArray[np.float64], ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.array([norms[row] if row < len(norms) else np.nan for row in ids.tolist()], dtype=np.float64)


def _norms(change: RowChange) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(change.rows.astype(np.float64), axis=1))
