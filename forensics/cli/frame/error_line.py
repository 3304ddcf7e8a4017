"""An error as the one line that a user reads."""

from __future__ import annotations

import click

from forensics.cli.frame.flags import as_typed, error_as_typed
from forensics.errors import ForensicsError

__all__ = ["error_line"]


def error_line(error: Exception, command: click.Command | None, *, debug: bool) -> str:
    """Return what is said of an error that is none of click's.

    :param error: What went wrong.
    :param command: The running command, for the names of its options.
    :param debug: Whether its traceback is shown already.
    """
    if isinstance(error, ForensicsError):
        line = error_as_typed(error, command)
    elif isinstance(error, MemoryError):
        remedy = "ask for less, e.g. a smaller `batch_size`, or use a machine with more of it"
        line = as_typed(f"out of memory; {remedy}", command)
    else:
        again = "" if debug else "; run again with --debug to see where"
        line = f"internal error ({_named(error)}); this is a bug in forensics, please report it{again}"
    return " ".join(line.split())


def _named(error: Exception) -> str:
    from forensics.runs.frame.many import UnexpectedError

    return str(error) if isinstance(error, UnexpectedError) else f"{type(error).__name__}: {error}"
