"""A finished run as the report reads it: its summary record, its tables and its manifest.

A column may be missing (a run without verification, a vocabulary without weights); what asks for it gets
no rows, and the sections leave out what is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.report.blocks import Tokens
from forensics.report.tables import read_table
from forensics.report.visible import TokenText, token_text
from forensics.schema.indicators import INDICATOR_NAMES
from forensics.schema.manifest import Manifest
from forensics.schema.record import JsonValue, RecordError, from_json
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Role, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Record", "Results", "Summary", "load_results", "row_token"]

#: One row of a data file, by column.
Record = Mapping[Any, Any]


class Summary(Protocol):
    """What the summaries of all commands have in common."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def seconds(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def peak_rss_bytes(self) -> int: ...  # noqa: D102


S_co = TypeVar("S_co", bound=Summary, covariant=True)
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Results(Generic[S_co]):
    """One run: what its files hold."""

    #: The record of `summary.json`.
    summary: S_co
    #: Table -> rows, by the names in the command's schema.
    tables: Mapping[str, pd.DataFrame]
    #: `manifest.json`; empty where there is none.
    manifest: Manifest = field(default_factory=Manifest)

    @property
    def tokens(self) -> pd.DataFrame:
        """The table `tokens`, one row per row of the embedding matrix."""
        return self.tables["tokens"]

    @property
    def indicator(self) -> str | None:
        """The column by which a scan ranked, where the table has it."""
        name = self.summary.indicator.name if isinstance(self.summary, ScanSummary) else None
        return name if name in self.tokens.columns else None

    @property
    def indicators(self) -> list[str]:
        """The indicator columns that the table has, in their fixed order."""
        return [name for name in INDICATOR_NAMES if name in self.tokens.columns]

    def has(self, *columns: str) -> bool:
        """Whether the table of tokens has all of these columns."""
        return all(column in self.tokens.columns for column in columns)

    def known(self, column: str) -> pd.Series[bool]:
        """Return which tokens have a value in `column`; none where the column is missing."""
        return self.tokens[column].notna() if self.has(column) else self.where(column)

    def where(self, column: str, *values: object) -> pd.Series[bool]:
        """Return which tokens have one of `values` in `column`; none where the column is missing."""
        import pandas as pd

        if not self.has(column):
            return pd.Series(data=False, index=self.tokens.index)
        return self.tokens[column].isin(list(values)).fillna(value=False).astype(bool)

    @property
    def verified(self) -> pd.Series[bool]:
        """Which tokens are verified, strongly or weakly."""
        return self.where("verdict", Verdict.VERIFIED_STRONG, Verdict.VERIFIED_WEAK)

    @property
    def tested(self) -> pd.Series[bool]:
        """Which tokens were put to the model themselves, controls and members of a tested group left out."""
        return self.known("verdict") & ~self.where("role", Role.CONTROL) & ~self.known("verified_by")

    @property
    def ordinary(self) -> pd.Series[bool]:
        """Which tokens are ordinary: reachable text that no file declares special or reserved."""
        odd = self.where("is_byte", True) | self.where("is_special", True) | self.known("reserved")
        return self.where("category", "ok") & ~odd

    def token(self, token_id: int, piece: str | None = None) -> TokenText:
        """Return one token ready to be shown; its `piece` or its bare id where the table has no such row."""
        # The table is sorted by id and holds every row of the matrix, so the id is the position.
        if 0 <= token_id < len(self.tokens) and int(self.tokens["token_id"].iloc[token_id]) == token_id:
            return row_token(self.tokens.iloc[token_id].to_dict())
        return token_text(token_id, f"#{token_id}" if piece is None else piece)

    def token_list(self, ids: str | Sequence[int] | None) -> Tokens:
        """Return tokens ready to be shown, from ids or their JSON."""
        parsed = json.loads(ids) if isinstance(ids, str) else ids or ()
        return Tokens(tuple(self.token(int(each)) for each in parsed))


def row_token(row: Record) -> TokenText:
    """Return the token of one table row, ready to be shown."""
    text, piece, raw = (row.get(name) for name in ("text", "piece", "bytes"))
    return token_text(
        int(row["token_id"]),
        text if isinstance(text, str) else None,
        raw if isinstance(raw, bytes) else None,
        piece if isinstance(piece, str) else None,
    )


def load_results(folder: Path) -> Results[Any]:
    """Read the data files of `folder`.

    :raises BadInputError: If the folder or a needed file is missing, damaged or of another version.
    """
    from forensics.report.kinds import kind_of

    if not folder.is_dir():
        raise BadInputError(folder, "no such folder", "give a folder that forensics wrote")
    path = folder / "summary.json"
    data = read_json(path)
    kind = kind_of(data.get("kind"))
    summary = _record(path, "summary", kind.summary, data)
    tables = {schema.name: read_table(folder / f"{schema.name}.parquet", schema) for schema in kind.tables}
    path = folder / "manifest.json"
    manifest = _record(path, "manifest", Manifest, read_json(path)) if path.exists() else Manifest()
    return Results(summary, tables, manifest)


def _record(path: Path, name: str, kind: type[R], data: Mapping[str, JsonValue]) -> R:
    """Return what `path` holds as a record of `kind`.

    :raises BadInputError: If it is none.
    """
    try:
        return from_json(kind, data)
    except RecordError as error:
        raise BadInputError(path, f"no {name} of this version ({error})", "run the command again") from error
