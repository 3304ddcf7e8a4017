"""What the sections share: tables of tokens, and the columns such tables can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from forensics.report.blocks import Badge, Cell, Code, Number, Row, Table, Tokens
from forensics.report.evidence_details import evidence_details
from forensics.report.results import Results, row_token

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST_ROWS",
    "VERDICT_TONES",
    "Column",
    "byte_string",
    "count",
    "full_stop",
    "id_ranges",
    "max_prob",
    "token_table",
    "verdict",
    "verdict_columns",
]

#: Rows of one table in the HTML report. 5,000 rows are about 2 MB and sort in a fraction of a second in
#: a browser; the caption says where the rest is.
MOST_ROWS = 5_000

VERDICT_TONES = {
    "verified_strong": "bad",
    "verified_weak": "bad",
    "inconclusive": "warn",
    "rejected": "good",
    "not_encodable": "plain",
}

#: A heading and what stands under it for one row of the table.
Column = tuple[str, Callable[[Mapping[str, Any]], Cell]]


def count(value: Any) -> Number:
    """Return an integer cell; nulls of every kind become a dash."""
    return Number(None if _missing(value) else int(value))


def number(value: Any, digits: int = 4) -> Number:
    """Return a float cell; nulls of every kind become a dash."""
    return Number(None if _missing(value) else float(value), digits)


def _missing(value: Any) -> bool:
    """Whether a table cell is null: None, NaN or pandas' NA."""
    import pandas as pd

    return value is None or bool(pd.isna(value))


def text(value: Any) -> str | None:
    """Return a text cell, None for null or empty."""
    return None if _missing(value) or not str(value) else str(value)


def verdict(row: Mapping[str, Any]) -> Cell:
    """Return the verdict as a badge; says so where another token of the same rows speaks for it."""
    name = text(row.get("verdict"))
    if name is None:
        return None
    shown = name.replace("_", " ")
    if not _missing(row.get("verified_by")):
        shown += f", as #{int(row['verified_by'])}"
    return Badge(shown, VERDICT_TONES.get(name, "plain"))


def max_prob(row: Mapping[str, Any]) -> Cell:
    """Return `max_prob`; a token that left early, rejected, has at least this."""
    value: Any = row.get("max_prob")
    bound: Any = row.get("max_prob_is_bound")
    return Number(None if _missing(value) else float(value), 3, at_least=not _missing(bound) and bool(bound))


def byte_string(row: Mapping[str, Any]) -> Cell:
    """Return the token's bytes in hex, the first eight."""
    raw = row.get("bytes")
    if not isinstance(raw, bytes):
        return None
    return Code(raw[:8].hex(" ").upper() + (" …" if len(raw) > 8 else ""), wraps=False)


def verdict_columns(results: Results) -> list[Column]:
    """Return the columns on weights and prompting that this run has."""
    columns: list[Column] = []
    indicator = results.indicator
    if indicator is not None:
        columns.append((indicator, lambda row: number(row.get(indicator))))
    if results.has("rank"):
        columns.append(("rank", lambda row: count(row.get("rank"))))
    if results.has("max_prob") and results.tokens["max_prob"].notna().any():
        columns.append(("max_prob", max_prob))
    if results.has("verdict") and results.tokens["verdict"].notna().any():
        columns.append(("verdict", verdict))
    return columns


def token_table(
    results: Results,
    chosen: pd.Series[bool],
    name: str,
    caption: str,
    columns: list[Column],
    order: tuple[str, ...] = ("token_id",),
) -> Table:
    """Return a table of the `chosen` rows: id, token, then `columns`; at most `MOST_ROWS` of them.

    :param results: The run.
    :param chosen: Which rows of `results.tokens`.
    :param name: The table's anchor.
    :param caption: What it holds.
    :param columns: The further columns.
    :param order: The columns it is sorted by, ascending, nulls last; missing ones are skipped.
    """
    rows = results.tokens[chosen]
    known = [column for column in order if column in rows.columns]
    shown = rows.sort_values(known, kind="stable", na_position="last") if known else rows
    return Table(
        name=name,
        caption=caption,
        columns=("id", "token", *(heading for heading, _ in columns)),
        rows=tuple(_row(record, columns) for record in shown.head(MOST_ROWS).to_dict("records")),
        total=len(rows),
    )


def _row(record: Mapping[Any, Any], columns: list[Column]) -> Row:
    """Return one row of a token table with its evidence below it."""
    cells: tuple[Cell, ...] = (Number(int(record["token_id"]), grouped=False), Tokens((row_token(record),)))
    return Row(
        (*cells, *(cell(record) for _, cell in columns)), evidence_details(text(record.get("evidence")))
    )


def full_stop(sentence: str) -> str:
    """Return the sentence with exactly one full stop at its end."""
    return sentence.rstrip(". ") + "."


def id_ranges(ids: list[int], most: int = 24) -> str:
    """Return ids as ranges, the first `most` of them.

    >>> id_ranges([5, 3, 4, 9])
    '3–5, 9'
    """
    runs: list[tuple[int, int]] = []
    for each in sorted(set(ids)):
        if runs and each == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], each)
        else:
            runs.append((each, each))
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs[:most]]
    if len(runs) > most:
        shown.append(f"… ({len(ids):,} ids in all)")
    return ", ".join(shown)
