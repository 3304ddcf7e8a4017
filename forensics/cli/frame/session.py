"""What must be known after a command has failed, when its options are gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import click

__all__ = ["Session"]


@dataclass
class Session:
    """One call of the command line."""

    #: The whole command line as typed, for the manifest.
    command_line: list[str] = field(default_factory=list)
    #: Whether errors show their traceback.
    debug: bool = False
    #: The running command, for the names of its options.
    command: click.Command | None = None
    #: Where it keeps what it has done, if it does.
    folder: Path | None = None
