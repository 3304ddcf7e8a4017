"""The table of a scan: vocabulary, indicators, ranks and verdicts, one row per row of the matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.undertrained.duplicates import RowGroups
from forensics.undertrained.indicator_trial import fit_rows
from forensics.undertrained.search_plan import SearchResult
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

    from forensics.undertrained.second_look import SecondLook

__all__ = ["scan_table"]


def scan_table(
    vocabulary: Vocabulary,
    findings: WeightFindings,
    result: SearchResult | None,
    look: SecondLook | None = None,
) -> pd.DataFrame:
    """Return the columns of `tokens.parquet`.

    A row equal bit for bit to a verified one (in every matrix of the model) takes over its verdict;
    `verified_by` names it, and the evidence stays where it was gathered. What ordinary text says of it goes
    the same way.
    """
    import pandas as pd

    V = len(findings.ranks)
    table = vocabulary.table().iloc[:V].reset_index(drop=True)
    for name, values in findings.indicators.items():
        table[name] = values
    if findings.nearest is not None:
        table["top10_cosine"] = fit_rows(findings.nearest.top10_cosine, V)
        nearest = pd.Series(findings.nearest.nearest_key, dtype="Int32").reindex(range(V))
        table["nearest_key"] = nearest.mask(nearest < 0)
    if findings.letters is not None:
        table["letter_strength"] = findings.letters.letter_strength
    table["row_problem"] = pd.Series([problem or None for problem in findings.statistics.problems.tolist()])
    for prefix, groups in (("duplicate", findings.identical), ("near_duplicate", findings.near_identical)):
        table[f"{prefix}_group"] = _group_column(groups)
        table[f"{prefix}_size"] = groups.size.astype(np.int32)
    table["is_reference"] = _mask(findings.reference.ids, V)
    table["rank"] = findings.ranks.astype(np.int32)
    table["is_candidate"] = _mask(findings.candidates, V)
    if result is None:
        return table
    return table.assign(**_verdict_columns(findings, result), **_text_columns(findings, look))


def _verdict_columns(findings: WeightFindings, result: SearchResult) -> dict[str, pd.Series]:
    import pandas as pd

    V = len(findings.ranks)
    speakers = findings.representative.tolist()
    evidence = [result.evidence.get(i, result.evidence.get(speakers[i])) for i in range(V)]
    own = [i in result.evidence for i in range(V)]
    uppers = [None if e is None else e.max_prob_is_upper for e in evidence]
    return {
        "role": pd.Series([result.roles[i].value if own[i] else None for i in range(V)], dtype=object),
        "max_prob": pd.Series([None if e is None else e.max_prob for e in evidence], dtype="float32"),
        "max_prob_is_bound": pd.Series(
            [None if e is None else e.max_prob_is_bound for e in evidence], dtype="boolean"
        ),
        # Only some servers give bounds from above.
        **({"max_prob_is_upper": pd.Series(uppers, dtype="boolean")} if any(uppers) else {}),
        "probe_p": pd.Series(result.probe_p(V)),
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


def _text_columns(findings: WeightFindings, look: SecondLook | None) -> dict[str, pd.Series]:
    """Return what ordinary text says; a run in which nothing verified has no such columns."""
    import pandas as pd

    if look is None:
        return {}
    V = len(findings.ranks)
    said = [look.evidence.get(i) for i in range(V)]
    spoken = [said[i] or said[speaker] for i, speaker in enumerate(findings.representative.tolist())]
    return {
        "cleared_by_text": pd.Series(
            [None if each is None else each.cleared_by_text for each in spoken], dtype="boolean"
        ),
        "emission_max": pd.Series(fit_rows(look.emission_max, V), dtype="float32"),
    }


def _group_column(groups: RowGroups) -> pd.Series:
    import pandas as pd

    return pd.Series(groups.group, dtype="Int32").mask(groups.group < 0)


def _mask(ids: npt.ArrayLike, V: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(V, dtype=bool)
    mask[np.asarray(ids, dtype=np.int64)] = True
    return mask
