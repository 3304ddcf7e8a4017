"""Groups of rows that are equal bit for bit, or nearly: the cheapest sign of rows never updated."""

from __future__ import annotations

from forensics.report.blocks import Block, Number, Paragraph, Row, Section, Table, Tokens
from forensics.report.results import Results, row_token
from forensics.report.sections.common import MOST_ROWS

__all__ = ["duplicates"]

#: Members of a group that are spelt out.
_MEMBERS = 12


def duplicates(results: Results) -> Section | None:
    """Return the groups of identical and of nearly identical rows."""
    tables = [
        table
        for column, size, name, caption in (
            ("duplicate_group", "duplicate_size", "identical-rows", "Rows that are equal bit for bit."),
            (
                "near_duplicate_group",
                "near_duplicate_size",
                "near-identical-rows",
                "Rows that are nearly equal.",
            ),
        )
        if results.has(column) and (table := _groups(results, column, size, name, caption)) is not None
    ]
    if not tables:
        return None
    why = Paragraph(
        "Rows start out random and differ; rows that are equal were never moved apart by training, "
        "were copied from "
        "one another, or were made equal by quantisation, which rounds small differences away."
    )
    blocks: tuple[Block, ...] = (why, *tables)
    return Section("duplicates", "Identical rows", blocks)


def _groups(results: Results, column: str, size: str, name: str, caption: str) -> Table | None:
    """Return one row per group, the largest first."""
    members = results.tokens[results.tokens[column].notna()]
    groups = [(group, rows) for group, rows in members.groupby(column, sort=True) if len(rows) > 1]
    if not groups:
        return None
    groups.sort(key=lambda each: (-len(each[1]), int(each[1]["token_id"].iloc[0])))
    rows = []
    for _, group in groups[:MOST_ROWS]:
        listed = Tokens(tuple(row_token(record) for record in group.head(_MEMBERS).to_dict("records")))
        more = len(group) - _MEMBERS
        first = int(group["token_id"].iloc[0])
        indicator = results.indicator
        value = float(group[indicator].median()) if indicator and group[indicator].notna().any() else None
        rows.append(
            Row(
                (
                    Number(len(group)),
                    Number(first, grouped=False),
                    listed,
                    f"and {more:,} more" if more > 0 else None,
                    Number(value),
                )
            )
        )
    heads = (
        "rows",
        "first id",
        "tokens",
        "",
        f"median {results.indicator}" if results.indicator else "indicator",
    )
    return Table(name, caption, heads, tuple(rows), len(groups))
