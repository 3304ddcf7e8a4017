"""Columns and tables: the name, the Arrow type and the meaning of everything a data file holds.

A table of a command is declared in `schema/COMMAND.py`. A declared column that a run does not have is left
out of the file (a vocabulary without weights has no indicators); a column that is not declared is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VOCABULARY_COLUMNS", "Column", "TableSchema"]


@dataclass(frozen=True)
class Column:
    """One column of a data file."""

    name: str
    #: An alias that `pyarrow.type_for_alias` knows.
    type: str
    #: What a value says, in a phrase; what null means, where it can be null.
    meaning: str


@dataclass(frozen=True)
class TableSchema:
    """One table of a command."""

    #: The file is called this and `.parquet`.
    name: str
    #: In the order they are written.
    columns: tuple[Column, ...]
    #: Columns by which the rows are sorted; empty: as the run gave them.
    key: tuple[str, ...] = ()
    #: Further columns are called this and the name of a category of text, and hold doubles; empty: there
    #: are none.
    by_category: str = ""

    def __post_init__(self) -> None:
        """Refuse a table in which a name stands twice or a key is no column."""
        names = self.names
        if len(set(names)) != len(names) or not set(self.key) <= set(names):
            raise ValueError(f"table {self.name!r}: a column stands twice, or a key is no column")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)


#: What every table of a vocabulary begins with.
VOCABULARY_COLUMNS = (
    Column("token_id", "int32", "row of the matrix, id of the tokenizer"),
    Column("piece", "string", "the entry as stored; empty for a row without one"),
    Column("text", "string", "the text; null where the bytes are nothing or no valid UTF-8 by themselves"),
    Column("bytes", "binary", "the exact bytes; null for a row without a piece"),
    Column("category", "string", "what encoding its own text gives (`words.Category`)"),
    Column("is_byte", "bool", "exactly one byte, ASCII and `<0xNN>` entries included"),
    Column("is_special", "bool", "declared special, or in a special role"),
    Column("is_added", "bool", "matched before the algorithm runs"),
    Column("script", "string", "Unicode script of the letters, `Common`, `Mixed`, or empty without text"),
    Column("reserved", "string", "the word by which the files mark it as unused; null where none does"),
    Column("context", "string", "left context that reaches it: empty alone; null if nothing tried does"),
    Column("reencodes_to", "string", "JSON ids that its text gives instead; null where it gives itself"),
    Column("byte_role", "string", "what a single byte can be (`words.ByteRole`); empty for others"),
)
