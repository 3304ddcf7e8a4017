"""What every command gives back: tables, a summary and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from forensics.schema.finding import Finding
from forensics.schema.record import to_json

if TYPE_CHECKING:
    import pandas as pd

    from forensics.report.kinds.kind import Kind
    from forensics.report.results import Results, Summary
    from forensics.schema.manifest import Manifest

__all__ = ["Result"]

S = TypeVar("S", bound="Summary")


@dataclass(frozen=True, eq=False, repr=False)
class Result(Generic[S]):
    """The result of a command, in memory; its names are those of the files on disk."""

    #: Table -> rows.
    tables: Mapping[str, pd.DataFrame]
    #: The summary as its record, e.g. `ScanSummary`: names and types are checked.
    record: S
    #: The contents of `manifest.json`.
    manifest: Manifest
    #: Where the files were written, or None.
    folder: Path | None = None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The contents of `summary.json`."""
        return dict(to_json(self.record))

    @property
    def tokens(self) -> pd.DataFrame:
        """The table of tokens, the columns of `tokens.parquet`."""
        return self._table("tokens")

    @property
    def merges(self) -> pd.DataFrame:
        """The table of merges, the columns of `merges.parquet`."""
        return self._table("merges")

    @property
    def proportions(self) -> dict[str, float]:
        """Of `mixture`: category -> share of bytes, sums to 1."""
        return dict(self.summary["proportions"])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the command found wrong, the worst first."""
        return self.kind.findings(self.results)

    @property
    def kind(self) -> Kind[Any]:
        """What the command shows of a run."""
        from forensics.report.kinds import kind_of

        return kind_of(self.record.kind)

    @cached_property
    def results(self) -> Results[S]:
        """The same as reports read it."""
        from forensics.report.results import Results

        return Results(tables=self.tables, summary=self.record, manifest=self.manifest)

    def save(self, folder: str | Path) -> list[Path]:
        """Write data files and reports into `folder` and return their paths, `report.html` first.

        :raises OutputError: If anything cannot be written.
        """
        from forensics.report.render import save_run

        return save_run(Path(folder), self.kind.name, self.tables, self.record, self.manifest)

    def _table(self, name: str) -> pd.DataFrame:
        try:
            return self.tables[name]
        except KeyError:
            raise AttributeError(
                f"this result has no table {name!r}, only {', '.join(self.tables)}"
            ) from None

    def __repr__(self) -> str:
        """Return the headline: a table of a hundred thousand rows is no representation."""
        return self.kind.headline(self.results)

    def _repr_html_(self) -> str:
        from forensics.report.notebook import notebook_html

        return notebook_html(self.results)
