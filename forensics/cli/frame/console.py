"""What a command says at its end on standard output: the finding, its numbers, where the report is."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.streams import write_text

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from forensics.report.blocks import Cell, Table
    from forensics.report.kinds.kind import Brief
    from forensics.runs.frame.result import Result

__all__ = ["drawn", "print_summary"]

#: Columns where nobody watches.
_PIPE_WIDTH = 100
#: Characters of a token that are shown.
_TOKEN_WIDTH = 40


def print_summary(result: Result[Any], folder: Path) -> None:
    """Print the brief of a run; plain text without colour where nobody watches.

    :param result: The run.
    :param folder: Where its report is.
    """
    headline = result.kind.headline(result.results)
    write_text(f"{drawn(headline, result.kind.brief(result.results))}\nreport  {folder / 'report.html'}\n")


def drawn(headline: str, brief: Brief) -> str:
    """Return a headline and what stands below it, as wide as the terminal is."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    watched = sys.stdout.isatty()
    # Into memory first: a stream that takes no more is met by `write_text` alone.
    stream = io.StringIO()
    width = None if watched else _PIPE_WIDTH
    console = Console(file=stream, force_terminal=watched, highlight=False, width=width)
    console.print(Text(headline, style="bold"))
    console.print()
    if brief.facts:
        facts = RichTable.grid(padding=(0, 2, 0, 0))
        for fact in brief.facts:
            facts.add_row(Text(fact.label, style="dim"), Text(fact.value))
        console.print(facts)
    for number, table in enumerate(brief.tables):
        if brief.facts or number:
            console.print()
        console.print(_rich_table(table))
    # Tables and wrapped lines are padded; nobody wants the spaces in a log.
    return "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))


def _rich_table(table: Table) -> RichTable:
    """Return a table of the report as the terminal draws it: numbers to the right, no lines."""
    from rich.table import Table as RichTable
    from rich.text import Text

    from forensics.report.blocks import Number

    drawn = RichTable(
        box=None,
        pad_edge=False,
        header_style="dim",
        padding=(0, 2, 0, 0),
        show_header=any(table.columns),
    )
    for place, heading in enumerate(table.columns):
        numeric = all(isinstance(row.cells[place], Number | None) for row in table.rows)
        drawn.add_column(heading, justify="right" if numeric else "left", no_wrap=True, overflow="ellipsis")
    for row in table.rows:
        drawn.add_row(*(Text(_cell(cell)) for cell in row.cells))
    return drawn


def _cell(cell: Cell) -> str:
    from forensics.report.blocks import Number, Tokens
    from forensics.report.visible import plain, shorten

    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Number):
        return cell.shown
    if isinstance(cell, Tokens):
        return " ".join(shorten(plain(token), _TOKEN_WIDTH) for token in cell.items)
    return cell.text
