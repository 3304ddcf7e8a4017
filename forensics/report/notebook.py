"""A run as a notebook shows it: the headline, a few numbers and the worst tokens, in little space."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from forensics.report.blocks import Cell, Number, Tokens
from forensics.report.headline import headline, tiles
from forensics.report.results import Results
from forensics.report.sections.common import token_table, verdict_columns
from forensics.report.visible import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["notebook_html"]

_WORST = 10


def notebook_html(tokens: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """Return what `_repr_html_` of a result gives; everything escaped, no script, no style sheet.

    :param tokens: One row per row of the matrix.
    :param summary: As in `summary.json`.
    """
    results = Results(tokens, summary, {})
    numbers = " · ".join(
        f"{escape(tile.label)} <b>{escape(tile.value)}</b>" + (f" ({escape(tile.note)})" if tile.note else "")
        for tile in tiles(results)
    )
    return f"<div><p><b>{escape(headline(results))}</b></p><p>{numbers}</p>{_worst(results)}</div>"


def _worst(results: Results) -> str:
    """Return the most suspicious tokens: the verified ones, else the candidates."""
    chosen = results.verified if results.get("verification.tested") else results.where("is_candidate", True)
    if not chosen.any():
        return ""
    table = token_table(results, chosen, "worst", "", verdict_columns(results), ("rank", "token_id"))
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row.cells)}</tr>" for row in table.rows[:_WORST]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: Cell) -> str:
    """Return one cell as HTML."""
    if isinstance(cell, Tokens):
        return "<br>".join(f"<bdi><code>{escape(plain(token))}</code></bdi>" for token in cell.items)
    if isinstance(cell, Number):
        return escape(cell.shown)
    return escape(str(getattr(cell, "text", cell) if cell is not None else "–"))
