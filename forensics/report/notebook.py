"""A run as a notebook shows it: the headline, a few numbers and the worst rows, in little space."""

from __future__ import annotations

from html import escape
from typing import Any

from forensics.report.blocks import Cell, Number, Table, Tokens
from forensics.report.results import Results
from forensics.report.visible import plain

__all__ = ["notebook_html"]


def notebook_html(results: Results[Any]) -> str:
    """Return what `_repr_html_` of a result gives; everything escaped, no script, no style sheet."""
    from forensics.report.kinds import kind_of

    kind = kind_of(results.summary.kind)
    brief = kind.brief(results)
    tiles = " · ".join(
        f"{escape(tile.label)} <b>{escape(tile.value)}</b>" + (f" ({escape(tile.note)})" if tile.note else "")
        for tile in kind.tiles(results)
    )
    facts = "<br>".join(f"{escape(fact.label)}: {escape(fact.value)}" for fact in brief.facts)
    parts = [f"<b>{escape(kind.headline(results))}</b>", tiles, facts]
    said = "".join(f"<p>{part}</p>" for part in parts if part)
    return f"<div>{said}{''.join(map(_table, brief.tables))}</div>"


def _table(table: Table) -> str:
    heads = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row.cells)}</tr>" for row in table.rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: Cell) -> str:
    """Return one cell as HTML."""
    if isinstance(cell, Tokens):
        return "<br>".join(f"<bdi><code>{escape(plain(token))}</code></bdi>" for token in cell.items)
    if isinstance(cell, Number):
        return escape(cell.shown)
    return escape(str(getattr(cell, "text", cell) if cell is not None else "–"))
