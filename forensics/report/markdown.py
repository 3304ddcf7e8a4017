"""Draw a report as markdown: GitHub's tables, everything escaped, long tables cut with a pointer."""

from __future__ import annotations

import re
from collections.abc import Collection

from forensics.report.blocks import (
    Badge,
    Block,
    Cell,
    Code,
    Document,
    Facts,
    FigureBlock,
    Link,
    Listing,
    Number,
    Paragraph,
    Row,
    Table,
    Tokens,
)
from forensics.report.visible import TokenText, plain

__all__ = ["MOST_ROWS", "PLOTS_FOLDER", "escape", "to_markdown"]

#: Rows of one table: markdown is read in one piece; the HTML report and the data files have all.
MOST_ROWS = 40
#: Tokens of one table whose evidence is written out below it.
_MOST_EVIDENCE = 5
#: Where the plots lie, beside report.md.
PLOTS_FOLDER = "plots"


def to_markdown(document: Document, plots: Collection[str]) -> str:
    """Return the report as markdown.

    :param document: The report.
    :param plots: Names of the plots that exist as ``plots/NAME.png``; others are left out.
    """
    parts = [f"# {escape(document.title)}"]
    if document.subtitle:
        parts.append(escape(document.subtitle))
    parts.append(f"> **{escape(document.headline)}**")
    for section in document.sections:
        parts.append(f"## {escape(section.title)}")
        for block in section.blocks:
            drawn = _block(block, plots)
            if drawn:
                parts.append(drawn)
    parts.append(f"---\n\nMade by {escape(document.made_by)}.")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Return plain text that markdown shows as it is.

    >>> escape("a|b <i> *c* max_prob")
    'a\\|b &lt;i&gt; \\*c\\* max_prob'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", text)
    # An underscore between letters starts no emphasis on GitHub; names such as max_prob stay readable.
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    return " ".join(text.split())


def _block(block: Block, plots: Collection[str]) -> str:
    """Return one block."""
    if isinstance(block, Paragraph):
        return f"**{escape(block.text)}**" if block.tone == "warn" else escape(block.text)
    if isinstance(block, Listing):
        return "\n".join(f"- {escape(item)}" for item in block.items)
    if isinstance(block, Facts):
        return "\n".join(f"- {escape(label)}: {_cell(value)}" for label, value in block.items)
    if isinstance(block, FigureBlock):
        if block.name not in plots:
            return ""
        return f"![{escape(block.name)}]({PLOTS_FOLDER}/{block.name}.png)\n\n{escape(block.caption)}"
    return _table(block)


def _table(table: Table) -> str:
    """Return a table, its first rows only where it is long, and the evidence of the first few."""
    shown = table.rows[:MOST_ROWS]
    lines = [escape(table.caption), ""]
    if not table.rows:
        return f"{escape(table.caption)}\n\nNone."
    right = [
        any(isinstance(row.cells[place], Number) for row in shown) for place in range(len(table.columns))
    ]
    lines.append("| " + " | ".join(escape(column) for column in table.columns) + " |")
    lines.append("|" + "|".join(" ---: " if numeric else " --- " for numeric in right) + "|")
    lines += ["| " + " | ".join(_cell(cell) for cell in row.cells) + " |" for row in shown]
    if table.total > len(shown):
        lines += [
            "",
            f"The first {len(shown):,} of {table.total:,}; all of them are in `{table.where_rest}`.",
        ]
    evidence = [line for row in shown[:_MOST_EVIDENCE] for line in _evidence(row)]
    if evidence:
        lines += ["", "Evidence of the first rows:", "", *evidence]
    return "\n".join(lines)


def _evidence(row: Row) -> list[str]:
    """Return the evidence of one row as a nested list."""
    if not row.details:
        return []
    lines = [f"- {_cell(row.cells[0])} {_cell(row.cells[1])}"]
    for title, pairs in row.details:
        said = "; ".join(f"{escape(label)} {_code(_one_line(value))}" for label, value in pairs)
        lines.append(f"  - {escape(title)}: {said}" if title else f"  - {said}")
    return lines


def _one_line(text: str) -> str:
    """Return text of a prompt or a generation with whatever is invisible in it made visible."""
    from forensics.report.visible import segments

    return "".join(" " if part.kind == "space" else part.shown for part in segments(text))


def _cell(cell: Cell) -> str:
    """Return one cell."""
    if cell is None:
        return "–"
    if isinstance(cell, Number):
        return cell.shown
    if isinstance(cell, Code):
        return _code(cell.text)
    if isinstance(cell, Badge):
        return escape(cell.text)
    if isinstance(cell, Link):
        return f"[{escape(cell.text)}]({cell.href})"
    if isinstance(cell, Tokens):
        return " ".join(_token(token) for token in cell.items) or "–"
    return escape(cell)


def _token(token: TokenText) -> str:
    """Return a token as code; a row without one as a dash."""
    return _code(plain(token)) if token.segments else "–"


def _code(text: str) -> str:
    """Return `text` as a code span that may hold backticks and stand in a table."""
    if not text:
        return "–"
    text = text.replace("\n", "⏎ ")  # a line end would end the row of a table
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    # A pipe ends a cell even inside code; GitHub takes the backslash away again.
    return f"{fence}{pad}{text.replace('|', chr(92) + '|')}{pad}{fence}"
