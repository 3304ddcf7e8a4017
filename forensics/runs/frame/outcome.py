"""What a command gives the frame: its inputs, and the work on them; everything around it is the frame's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from forensics.runs.frame.journal import Journal

__all__ = ["Inputs", "Job", "Outcome", "RunSettings"]


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

    @classmethod
    def of(
        cls,
        out: str | Path | None,
        *,
        resume: bool = True,
        overwrite: bool = False,
        offline: bool | None = None,
        command_line: Sequence[str] | None = None,
    ) -> RunSettings:
        """Return the settings of a public function, whose `out` may be text; `~` is the user's home."""
        folder = None if out is None else Path(out).expanduser()
        return cls(folder, resume, overwrite, offline, command_line)


@dataclass(frozen=True)
class Inputs:
    """What a run depends on: hashed, put into the fingerprint and listed in the manifest."""

    #: What files are for (`model`, `sentences`, `text NAME`, ...) -> the files; a set where their order
    #: says nothing. Where files lie and what they are called moves nothing.
    files: Mapping[str, Sequence[Path] | frozenset[Path]]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the work gave."""

    #: Table -> rows, by the names in the command's schema.
    tables: Mapping[str, pd.DataFrame]
    #: The command's summary record; the frame fills in `seconds` and `peak_rss_bytes`.
    summary: Any


@dataclass(frozen=True, eq=False)
class Job:
    """Inputs that are open, and what is to be done with them."""

    inputs: Inputs
    #: Takes the journal, which knows what an interrupted run had done.
    work: Callable[[Journal], Outcome]
