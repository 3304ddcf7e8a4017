"""What a report is made of, before it is markdown or HTML.

Sections build these blocks from a run's tables; `markdown` and `html` each know one way to draw every
block. A new section is therefore written once, and the two reports cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from forensics.report.visible import TokenText

__all__ = [
    "Badge", "Block", "Cell", "Code", "Document", "Facts", "FigureBlock", "Link", "Listing", "Number",
    "Paragraph", "Row", "Section", "Table", "Tile", "Tokens",
]  # fmt: skip


@dataclass(frozen=True)
class Number:
    """A number with the digits a reader can use; None is shown as a dash."""

    #: The value; sorts the table.
    value: float | int | None
    #: Significant digits for a float; integers get thousands separators.
    digits: int = 4
    #: Shown as a share in percent.
    percent: bool = False
    #: The value is only known to be at least this.
    at_least: bool = False
    #: The value is only known to be at most this.
    at_most: bool = False
    #: Thousands separators in an integer; a token id has none, so that it can be searched for.
    grouped: bool = True

    @property
    def shown(self) -> str:
        """The number as text."""
        if self.value is None:
            return "–"
        sign = "≥ " if self.at_least else "≤ " if self.at_most else ""
        return sign + self._digits(self.value)

    def _digits(self, value: float | int) -> str:
        """Return the value without its bound."""
        if self.percent:
            # Three digits of a small share, but never 4.17e-05: 0.0042 %.
            return f"{_decimal(100 * value, max(2, self.digits - 1))} %"
        if isinstance(value, int):
            return f"{value:,}" if self.grouped else str(value)
        return _decimal(value, self.digits)


def _decimal(value: float, digits: int) -> str:
    """Return `value` to `digits` significant digits, with an exponent only where it is tiny or huge."""
    text = f"{value:.{digits}g}"
    if "e" in text and 1 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return text


@dataclass(frozen=True)
class Code:
    """Something to be shown letter by letter: a name, a hash, bytes."""

    text: str
    #: Whether it may be broken over lines.
    wraps: bool = True


@dataclass(frozen=True)
class Badge:
    """A verdict in one word; `tone` is `bad`, `warn`, `good` or `plain`."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Link:
    """The way to a file beside the report."""

    text: str
    #: From the report's folder, with slashes; whatever is in the names of folders.
    path: str

    @property
    def href(self) -> str:
        """The same as a relative address, in which no name can be taken for a scheme or for markup."""
        return quote(self.path if self.path.startswith(".") else f"./{self.path}")


@dataclass(frozen=True)
class Tokens:
    """One token, or several in a row."""

    items: tuple[TokenText, ...]


Cell = str | Number | Code | Badge | Link | Tokens | None


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    #: One cell per column.
    cells: tuple[Cell, ...]
    #: What expands below it: (label, value) lines grouped under a title; empty where there is none.
    details: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """Plain sentences; nothing in them is markup."""

    text: str
    #: `plain`, `lead` (the sentence to quote) or `warn`.
    tone: str = "plain"


@dataclass(frozen=True)
class Listing:
    """A bulleted list of plain sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names with their values, side by side."""

    items: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Tile:
    """A number large enough to be read from across the room."""

    label: str
    value: str
    note: str = ""
    tone: str = "plain"


@dataclass(frozen=True)
class Table:
    """A table, possibly only the first rows of a longer one."""

    #: Stands in the page's anchors and in the tests; lower case with hyphens.
    name: str
    #: What it holds, in a sentence.
    caption: str
    #: The heading of every column.
    columns: tuple[str, ...]
    #: The rows that are shown.
    rows: tuple[Row, ...]
    #: How many rows there are in all; more than `rows` where some were left out.
    total: int
    #: Where the rest is.
    where_rest: str = "tokens.parquet"
    #: Whether it can be searched and sorted however short it is.
    sortable: bool = False


@dataclass(frozen=True)
class FigureBlock:
    """A plot, by the name it has in the figures of the report."""

    name: str
    caption: str


Block = Paragraph | Listing | Facts | Table | FigureBlock


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    #: The anchor.
    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    #: What was examined, below the title.
    subtitle: str
    #: The sentence an auditor can quote.
    headline: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    #: The project and its version.
    made_by: str
    #: What the plots tell on hovering: figure -> group -> one text per point, in drawing order.
    tips: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
