"""What a command's own work takes and gives; everything around it is the frame's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Inputs", "Outcome", "RunSettings"]


@dataclass(frozen=True)
class RunSettings:
    """Where a run writes and how it behaves around the work; nothing here moves a number."""

    #: Folder for journal, data and reports; None keeps everything in memory.
    out: Path | None = None
    #: Continue an interrupted run.
    resume: bool = True
    #: Replace a finished run.
    overwrite: bool = False
    #: Never download; None: as the environment says.
    offline: bool | None = None
    #: The arguments as typed, for the manifest.
    command_line: Sequence[str] | None = None


@dataclass(frozen=True)
class Inputs:
    """What a run depends on: hashed, put into the fingerprint and listed in the manifest."""

    #: Every file that is read, by what it is for (`model`, `sentences`, ...).
    files: Mapping[str, Sequence[Path]]
    #: Names that stand in for files or order them (categories of text, say) and move numbers.
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the work gave."""

    #: Table -> rows, by the names in the command's schema.
    tables: Mapping[str, pd.DataFrame]
    #: The command's summary record; the frame fills in `seconds` and `peak_rss_bytes`.
    summary: Any
