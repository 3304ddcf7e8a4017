"""The tables of one pair, and of all pairs one below the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from forensics.comparison.merge_order import MergeOrder
from forensics.comparison.scans import ScanDifference, ScannedToken
from forensics.comparison.vocabularies import PieceKey, VocabularyDifference
from forensics.schema.compare import (
    FINDINGS_TABLE,
    MERGES_TABLE,
    ONLY_A_TABLE,
    ONLY_B_TABLE,
    SHARED_TABLE,
)
from forensics.schema.finding import Finding
from forensics.vocabulary.spelling import text_of_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["all_pairs", "findings_table", "piece_tables", "scan_tables"]

_TABLES = (SHARED_TABLE, ONLY_A_TABLE, ONLY_B_TABLE, MERGES_TABLE)


def piece_tables(
    other: str, pieces: VocabularyDifference, merges: MergeOrder | None, of_a: Sequence[tuple[bytes, bytes]]
) -> dict[str, pd.DataFrame]:
    """Return the tables of two tokenizers.

    :param other: The other's letter.
    :param pieces: Their pieces.
    :param merges: The order of their merges, or None.
    :param of_a: A's merges, as `merges_in_bytes` gives them.
    """
    import pandas as pd

    ids = list(pieces.shared.values())
    shared = {
        "token_id_a": [one for one, _ in ids],
        "token_id_b": [other_id for _, other_id in ids],
        **_spelt(pieces.shared),
        "standing_a": None,
        "standing_b": None,
    }
    found = {
        "shared": pd.DataFrame(shared),
        "only_a": pd.DataFrame(
            {"token_id": [*pieces.only_a.values()], **_spelt(pieces.only_a), "standing": None}
        ),
        "only_b": pd.DataFrame(
            {"token_id": [*pieces.only_b.values()], **_spelt(pieces.only_b), "standing": None}
        ),
    }
    if merges is not None:
        pairs = [of_a[rank] for rank in merges.ranks_a.tolist()]
        found["merges"] = pd.DataFrame(
            {
                "rank_a": merges.ranks_a,
                "rank_b": merges.ranks_b,
                "left": pd.Series([left for left, _ in pairs], dtype=object),
                "right": pd.Series([right for _, right in pairs], dtype=object),
            }
        )
    return {name: frame.assign(other=other) for name, frame in found.items()}


def _spelt(keys: Iterable[PieceKey]) -> dict[str, object]:
    import pandas as pd

    pieces = list(keys)
    return {
        "text": pd.Series([text_of_bytes(data) for data, _ in pieces], dtype=object),
        "bytes": pd.Series([data for data, _ in pieces], dtype=object),
        "inside_word": pd.Series([inside for _, inside in pieces], dtype=bool),
    }


def scan_tables(other: str, found: ScanDifference) -> dict[str, pd.DataFrame]:
    """Return the tables of two scans: the tokens that at least one of them verifies.

    :param other: The other's letter.
    :param found: Those tokens.
    """
    import pandas as pd

    both = [token for token in found.tokens if token.id_a is not None and token.id_b is not None]
    only_a = [token for token in found.tokens if token.id_b is None]
    only_b = [token for token in found.tokens if token.id_a is None]
    shared = {
        "token_id_a": [token.id_a for token in both],
        "token_id_b": [token.id_b for token in both],
        **_scanned(both),
        "standing_a": [str(token.in_a) for token in both],
        "standing_b": [str(token.in_b) for token in both],
    }
    of_a = {"token_id": [token.id_a for token in only_a], **_scanned(only_a)}
    of_b = {"token_id": [token.id_b for token in only_b], **_scanned(only_b)}
    frames = {
        "shared": pd.DataFrame(shared),
        "only_a": pd.DataFrame({**of_a, "standing": [str(token.in_a) for token in only_a]}),
        "only_b": pd.DataFrame({**of_b, "standing": [str(token.in_b) for token in only_b]}),
    }
    return {name: frame.assign(other=other) for name, frame in frames.items()}


def _scanned(tokens: Sequence[ScannedToken]) -> dict[str, object]:
    return _spelt((token.bytes, False) for token in tokens)


def all_pairs(pairs: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return the tables of all pairs one below the other; a table that no pair has is empty."""
    import pandas as pd

    return {
        schema.name: pd.concat(
            [pd.DataFrame(columns=list(schema.names)).astype(object)]
            + [pair[schema.name].astype(object) for pair in pairs if schema.name in pair],
            ignore_index=True,
        )
        for schema in _TABLES
    }


def findings_table(findings: Sequence[tuple[str, Finding]]) -> pd.DataFrame:
    """Return findings, each with the letter of what is compared with A, as rows."""
    import pandas as pd

    rows = [
        (
            other,
            each.rule,
            each.level.value,
            each.subject,
            each.message,
            json.dumps(dict(each.evidence), ensure_ascii=False),
        )
        for other, each in findings
    ]
    return pd.DataFrame(rows, columns=list(FINDINGS_TABLE.names))
