"""Groups of rows that are equal bit for bit, or nearly: the cheapest sign of rows never updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.report.blocks import Number, Paragraph, Section, Table, Tokens
from forensics.report.declared import MOST_ROWS, number, table
from forensics.report.results import Results, row_token
from forensics.schema.scan import ScanSummary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["duplicates"]

#: Members of a group that are spelt out.
_MEMBERS = 12
_WHY = (
    "Rows start out random and differ; rows that are equal were never moved apart by training, were copied "
    "from one another, or were made equal by quantisation, which rounds small differences away."
)


def duplicates(results: Results[ScanSummary]) -> Section | None:
    """Return the groups of identical and of nearly identical rows."""
    kinds = (
        ("duplicate_group", "identical-rows", "Rows that are equal bit for bit."),
        ("near_duplicate_group", "near-identical-rows", "Rows that are nearly equal."),
    )
    tables = [each for kind in kinds if (each := _groups(results, *kind)) is not None]
    return Section("duplicates", "Identical rows", (Paragraph(_WHY), *tables)) if tables else None


def _groups(results: Results[ScanSummary], column: str, name: str, caption: str) -> Table | None:
    """Return one row per group, the largest first."""
    members = results.tokens[results.known(column)]
    if members.empty:
        return None
    groups = [group for _, group in members.groupby(column, sort=True) if len(group) > 1]
    groups.sort(key=lambda group: (-len(group), _first(group)))
    indicator = results.indicator
    if not groups:
        return None
    return table(
        name,
        caption,
        groups[:MOST_ROWS],
        ("rows", lambda group: Number(len(group))),
        ("first id", lambda group: Number(_first(group), grouped=False)),
        ("tokens", lambda group: Tokens(tuple(map(row_token, group.head(_MEMBERS).to_dict("records"))))),
        ("", lambda group: f"and {len(group) - _MEMBERS:,} more" if len(group) > _MEMBERS else None),
        (f"median {indicator}" if indicator else "indicator",
         lambda group: number(group[indicator].median() if indicator else None)),
        total=len(groups),
    )  # fmt: skip


def _first(group: pd.DataFrame) -> int:
    return int(group["token_id"].iloc[0])
