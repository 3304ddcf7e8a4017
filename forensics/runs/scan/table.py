"""The table of a scan: vocabulary, indicators, ranks and verdicts, one row per row of the matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.undertrained.duplicates import RowGroups
from forensics.undertrained.search_plan import SearchResult
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scan_table"]


def scan_table(vocabulary: Vocabulary, findings: WeightFindings, result: SearchResult | None) -> pd.DataFrame:
    """Return the columns of `tokens.parquet`.

    A row equal bit for bit to a verified one (in every matrix of the model) takes over its verdict;
    `verified_by` names it, and the evidence stays where it was gathered.
    """
    import pandas as pd

    V = len(findings.ranks)
    table = vocabulary.table().iloc[:V].reset_index(drop=True)
    for name, values in findings.indicators.items():
        table[name] = values
    table["row_problem"] = pd.Series([problem or None for problem in findings.statistics.problems.tolist()])
    for prefix, groups in (("duplicate", findings.identical), ("near_duplicate", findings.near_identical)):
        table[f"{prefix}_group"] = _group_column(groups)
        table[f"{prefix}_size"] = groups.size.astype(np.int32)
    table["is_reference"] = _mask(findings.reference.ids, V)
    table["rank"] = findings.ranks.astype(np.int32)
    table["is_candidate"] = _mask(findings.candidates, V)
    return table if result is None else table.assign(**_verdict_columns(findings, result))


def _verdict_columns(findings: WeightFindings, result: SearchResult) -> dict[str, pd.Series]:
    import pandas as pd

    V = len(findings.ranks)
    speakers = findings.representative.tolist()
    evidence = [result.evidence.get(i, result.evidence.get(speakers[i])) for i in range(V)]
    own = [i in result.evidence for i in range(V)]
    return {
        "role": pd.Series([result.roles[i].value if own[i] else None for i in range(V)], dtype=object),
        "max_prob": pd.Series([None if e is None else e.max_prob for e in evidence], dtype="float32"),
        "max_prob_is_bound": pd.Series(
            [None if e is None else e.max_prob_is_bound for e in evidence], dtype="boolean"
        ),
        "verdict": pd.Series([None if e is None else e.verdict.value for e in evidence], dtype=object),
        "verified_by": pd.Series(
            [e.token_id if e is not None and not own[i] else None for i, e in enumerate(evidence)],
            dtype="Int32",
        ),
        "evidence": pd.Series(
            [
                json.dumps(e.to_json(), ensure_ascii=False) if e is not None and own[i] else None
                for i, e in enumerate(evidence)
            ],
            dtype=object,
        ),
    }


def _group_column(groups: RowGroups) -> pd.Series:
    import pandas as pd

    return pd.Series(groups.group, dtype="Int32").mask(groups.group < 0)


def _mask(ids: npt.ArrayLike, V: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(V, dtype=bool)
    mask[np.asarray(ids, dtype=np.int64)] = True
    return mask
