"""Tables by declaration: records, and for every column its heading and what of a record stands under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from forensics.report.blocks import Badge, Cell, Code, Number, Row, Table, Tokens
from forensics.report.evidence_details import Details, evidence_details
from forensics.report.results import Record, Results, row_token
from forensics.schema.words import Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ID", "MOST_ROWS", "TOKEN", "Column", "bound_sign", "byte_string", "count", "field", "max_prob",
    "number", "records", "share", "table", "text", "token_table", "verdict_badge", "verdict_columns",
]  # fmt: skip

#: Rows of one table in the HTML report. 5,000 rows are about 2 MB and sort in a fraction of a second in
#: a browser; the caption says where the rest is.
MOST_ROWS = 5_000

_TONES = {
    Verdict.VERIFIED_STRONG: "bad",
    Verdict.VERIFIED_WEAK: "bad",
    Verdict.INCONCLUSIVE: "warn",
    Verdict.REJECTED: "good",
}

R = TypeVar("R")
#: A heading, and what stands under it for one record.
Column = tuple[str, Callable[[R], Cell]]


def table(
    name: str,
    caption: str,
    rows: Iterable[R],
    *columns: Column[R] | None,
    total: int | None = None,
    where_rest: str = "tokens.parquet",
    details: Callable[[R], Details] | None = None,
) -> Table:
    """Return a table.

    :param name: Its anchor.
    :param caption: What it holds.
    :param rows: The records that are shown.
    :param columns: Its columns; None stands for one that this run does not have.
    :param total: How many records there are in all; default those that are shown.
    :param where_rest: Where the others are.
    :param details: What expands below a row.
    """
    shown = [column for column in columns if column is not None]
    drawn = tuple(
        Row(tuple(cell(row) for _, cell in shown), () if details is None else details(row)) for row in rows
    )
    heads = tuple(heading for heading, _ in shown)
    return Table(name, caption, heads, drawn, len(drawn) if total is None else total, where_rest)


def records(frame: pd.DataFrame, order: Sequence[str] = (), most: int | None = None) -> Sequence[Record]:
    """Return the first rows of a table, sorted by those of the columns `order` that it has, nulls last."""
    known = [column for column in order if column in frame.columns]
    ordered = frame.sort_values(known, kind="stable", na_position="last") if known else frame
    return ordered.head(MOST_ROWS if most is None else most).to_dict("records")


def token_table(
    results: Results[Any],
    chosen: pd.Series[bool],
    name: str,
    caption: str,
    *columns: Column[Record] | None,
    order: tuple[str, ...] = ("rank", "token_id"),
) -> Table:
    """Return a table of the `chosen` tokens: id, token, then `columns`, their evidence below each."""
    rows = results.tokens[chosen]
    shown = records(rows, order)
    return table(name, caption, shown, ID, TOKEN, *columns, total=len(rows), details=_evidence)


def _evidence(row: Record) -> Details:
    return evidence_details(text(row.get("evidence")))


def field(name: str, show: Callable[[Any], Cell] | None = None, heading: str | None = None) -> Column[Record]:
    """Return the column of a data file as a column of a table; by default a number."""
    draw = show or number
    return heading or name, lambda row: draw(row.get(name))


def count(value: Any) -> Number:
    """Return an integer cell; nulls of every kind become a dash."""
    return Number(None if _missing(value) else int(value))


def number(value: Any, digits: int = 4) -> Number:
    """Return a float cell; nulls of every kind become a dash."""
    return Number(None if _missing(value) else float(value), digits)


def share(part: int, whole: int) -> Number:
    """Return a share in percent; of nothing there is none."""
    return Number(part / whole if whole else None, 3, percent=True)


def text(value: Any) -> str | None:
    """Return a text cell, None for null or empty."""
    return None if _missing(value) or not str(value) else str(value)


def byte_string(value: Any) -> Cell:
    """Return bytes in hex, the first eight."""
    if not isinstance(value, bytes):
        return None
    return Code(value[:8].hex(" ").upper() + (" …" if len(value) > 8 else ""), wraps=False)


def _missing(value: Any) -> bool:
    """Whether a cell of a data file is null: None, NaN or pandas' NA."""
    import pandas as pd

    return value is None or bool(pd.isna(value))


def verdict_badge(verdict: str, shown: str | None = None) -> Badge:
    """Return a verdict in the colour of what it means."""
    return Badge(shown or verdict.replace("_", " "), _TONES.get(Verdict(verdict), "plain"))


def _verdict(row: Record) -> Cell:
    """Return the verdict as a badge; says so where another token of the same rows speaks for it."""
    name, speaker = text(row.get("verdict")), row.get("verified_by")
    if name is None:
        return None
    return verdict_badge(name, None if _missing(speaker) else f"{name.replace('_', ' ')}, as #{speaker}")


def bound_sign(row: Record) -> str:
    """Return how `max_prob` bounds the probability: `≥` where the token did not go through every prompt.

    `≤` where a server did not list the token; empty where it is the probability itself.
    """
    for column, sign in (("max_prob_is_upper", "≤ "), ("max_prob_is_bound", "≥ ")):
        bound = row.get(column)
        if not _missing(bound) and bool(bound):
            return sign
    return ""


def max_prob(digits: int = 3) -> Column[Record]:
    """Return the column of `max_prob`, which says where it is a bound."""

    def cell(row: Record) -> Number:
        sign = bound_sign(row)
        value = number(row.get("max_prob")).value
        return Number(value, digits, at_least=sign == "≥ ", at_most=sign == "≤ ")

    return "max_prob", cell


def verdict_columns(results: Results[Any], *, rank: bool = True) -> list[Column[Record]]:
    """Return the columns on weights and prompting that this run has."""
    named = [field(results.indicator)] if results.indicator else []
    ranked = [field("rank", count)] if rank and results.has("rank") else []
    prompted: list[Column[Record]] = [
        column for column in (max_prob(), ("verdict", _verdict)) if results.known(column[0]).any()
    ]
    return [*named, *ranked, *prompted]


#: The id of a token.
ID: Column[Record] = ("id", lambda row: Number(int(row["token_id"]), grouped=False))
#: The token itself.
TOKEN: Column[Record] = ("token", lambda row: Tokens((row_token(row),)))
