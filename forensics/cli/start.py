"""How every analysing command begins: its folder, its progress, and standard output kept for the result."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from forensics.cli.main import Session
from forensics.errors import BadInputError
from forensics.progress import Progress

__all__ = ["started"]


@contextmanager
def started(session: Session, folder: Path, *, quiet: bool) -> Iterator[Progress]:
    """Refuse a folder that cannot be one, before hours of work and not after, and give the progress.

    :param session: Told the folder, for what is said after an interruption.
    :param folder: Where files will be written.
    :param quiet: Say warnings only.
    :raises BadInputError: If something that is no folder is in its place.
    """
    from forensics.cli.terminal import make_progress

    # None where the working directory itself is gone; writing will say so.
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if nearest is not None and not nearest.is_dir():
        raise BadInputError(nearest, "is a file, not a folder", "choose another --out")
    session.folder = folder
    # Libraries that greet their users do so on standard output.
    with redirect_stdout(sys.stderr):
        yield make_progress(quiet=quiet)
