"""What a run gives back: a table, a summary and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunResult"]


@dataclass(frozen=True, eq=False, repr=False)
class RunResult:
    """The result of a command with a table of tokens, in memory; its names are those of the files on disk."""

    #: One row per token, the columns of `tokens.parquet`.
    tokens: pd.DataFrame
    #: The contents of `summary.json`.
    summary: dict[str, Any]
    #: The contents of `manifest.json`.
    manifest: dict[str, Any]
    #: Where the files were written, or None.
    folder: Path | None = None

    def save(self, folder: str | Path) -> list[Path]:
        """Write data files and reports into `folder` and return their paths, `report.html` first.

        :raises OutputError: If anything cannot be written.
        """
        from forensics.report.render import save_run

        return save_run(Path(folder), self.tokens, self.summary, self.manifest)

    def __repr__(self) -> str:
        """Return the headline: a table of a hundred thousand rows is no representation."""
        from forensics.report.headline import headline
        from forensics.report.results import Results

        return headline(Results(self.tokens, self.summary, self.manifest))

    def _repr_html_(self) -> str:
        from forensics.report.notebook import notebook_html

        return notebook_html(self.tokens, self.summary)
