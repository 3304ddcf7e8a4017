"""A finished run as the report reads it: three files of a folder, and nothing else.

Everything optional may be missing (a run without verification, a tokenizer without weights), so the
accessors answer with None and the sections leave out what is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.report.blocks import Tokens
from forensics.report.tokens_table import INDICATORS, read_tokens
from forensics.report.visible import TokenText, token_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results", "load_results", "row_token"]


@dataclass(frozen=True, eq=False)
class Results:
    """The data files of one run."""

    #: One row per row of the embedding matrix, by `token_id`.
    tokens: pd.DataFrame
    #: `summary.json`.
    summary: Mapping[str, Any]
    #: `manifest.json`; empty where there is none.
    manifest: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """Return a value of the summary by its dotted path, or `default` where any part is missing.

        >>> # results.get("verification.interval") -> [120.0, 180.0]
        """
        value: Any = self.summary
        for key in path.split("."):
            if not isinstance(value, Mapping) or value.get(key) is None:
                return default
            value = value[key]
        return value

    @property
    def indicator(self) -> str | None:
        """The column of the chosen indicator, where there is one in the table."""
        name = self.get("indicator.name")
        return name if isinstance(name, str) and name in self.tokens.columns else None

    @property
    def indicators(self) -> list[str]:
        """The indicator columns that the table has, in their fixed order."""
        return [name for name in INDICATORS if name in self.tokens.columns]

    def has(self, *columns: str) -> bool:
        """Whether the table has all of these columns."""
        return all(column in self.tokens.columns for column in columns)

    def where(self, column: str, *values: object) -> pd.Series[bool]:
        """Return which rows have one of `values` in `column`; none where the column is missing."""
        import pandas as pd

        if column not in self.tokens.columns:
            return pd.Series(data=False, index=self.tokens.index)
        return self.tokens[column].isin(list(values)).fillna(value=False).astype(bool)

    @property
    def verified(self) -> pd.Series[bool]:
        """Which rows are verified, strongly or weakly."""
        return self.where("verdict", "verified_strong", "verified_weak")

    @property
    def tested(self) -> pd.Series[bool]:
        """Which rows were put to the model themselves, controls and members of a tested group left out."""
        import pandas as pd

        if not self.has("verdict"):
            return pd.Series(data=False, index=self.tokens.index)
        own = self.tokens["verdict"].notna() & ~self.where("role", "control")
        return own & self.tokens["verified_by"].isna() if self.has("verified_by") else own

    def token(self, token_id: int) -> TokenText:
        """Return one token ready to be shown; a bare id where the table has no such row."""
        # The table is sorted by id and holds every row of the matrix, so the id is the position.
        if 0 <= token_id < len(self.tokens) and int(self.tokens["token_id"].iloc[token_id]) == token_id:
            return row_token(self.tokens.iloc[token_id].to_dict())
        return token_text(token_id, f"#{token_id}")

    def token_list(self, ids: str | list[int] | None) -> Tokens:
        """Return tokens ready to be shown, from ids or their JSON."""
        if ids is None:
            return Tokens(())
        parsed = json.loads(ids) if isinstance(ids, str) else ids
        return Tokens(tuple(self.token(int(each)) for each in parsed))


def row_token(row: Mapping[Any, Any]) -> TokenText:
    """Return the token of one table row, ready to be shown."""
    text, piece, raw = (row.get(name) for name in ("text", "piece", "bytes"))
    return token_text(
        int(row["token_id"]),
        text if isinstance(text, str) else None,
        raw if isinstance(raw, bytes) else None,
        piece if isinstance(piece, str) else None,
    )


def load_results(folder: Path) -> Results:
    """Read the data files of `folder`.

    :raises BadInputError: If the folder or a needed file is missing or damaged.
    """
    if not folder.is_dir():
        raise BadInputError(folder, "no such folder", "give a folder that forensics wrote")
    tokens = read_tokens(folder / "tokens.parquet").sort_values("token_id", kind="stable", ignore_index=True)
    manifest = folder / "manifest.json"
    return Results(
        tokens=tokens,
        summary=read_json(folder / "summary.json"),
        manifest=read_json(manifest) if manifest.exists() else {},
    )
