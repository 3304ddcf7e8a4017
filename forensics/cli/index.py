"""`forensics index`: all finished runs under a folder on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.command import analysis
from forensics.schema.index import IndexOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


@analysis(
    "index",
    IndexOptions,
    short_help="Put all finished runs under a folder on one page.",
    example="forensics index results",
    gate="left_out>0",
    seed=False,
    folder=lambda folder: Path(folder).expanduser() / "index",
    metavar="DIR",
)
def command(folder: str, **options: Any) -> Result[Any]:
    """List every finished run under DIR: what was examined, counts, findings, and the way to its report.

    Damaged and unfinished runs are listed with the reason. Runs that share a vocabulary, or of which one's
    begins with another's, are named. An index that is there is made anew.
    """
    import forensics as fx

    return fx.index(folder, **options)


# Nothing is downloaded, and an index is never kept: what it lists may have changed.
command.params = [each for each in command.params if each.name not in ("offline", "overwrite")]
