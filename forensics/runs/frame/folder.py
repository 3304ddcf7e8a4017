"""What a run does with its folder: one run at a time, a finished run kept, files of others left alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.errors import BadInputError
from forensics.files import make_folder, read_json
from forensics.report.kinds import kind_of
from forensics.report.kinds.kind import Kind
from forensics.report.render import render
from forensics.report.results import Results, load_results

__all__ = ["clear", "finished_run", "held", "refuse_foreign"]

#: Files that every command writes; the first one written and the last.
_MANIFEST, _SUMMARY = "manifest.json", "summary.json"
_REPORTS = ("report.md", "report.html")


@contextmanager
def held(folder: Path | None) -> Iterator[Path | None]:
    """Make the folder and keep other runs out of it; a folder that stays empty is taken away again.

    The folder itself is locked (`flock`), so that a killed run leaves nothing behind. Where the system cannot
    lock folders (Windows, some network disks), nobody is kept out.

    :param folder: None: the run stays in memory, and there is nothing to hold.
    :raises BadInputError: If a file is in its place, or another run holds it.
    :raises OutputError: If it cannot be made.
    """
    if folder is None:
        yield None
        return
    _refuse_file_in_place(folder)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    handle = _lock(folder)
    try:
        yield folder
    finally:
        for place in missing:
            with contextlib.suppress(OSError):  # not empty
                place.rmdir()
        if handle is not None:
            os.close(handle)


def _refuse_file_in_place(folder: Path) -> None:
    # None where the working directory itself is gone; writing will say so.
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if nearest is not None and not nearest.is_dir():
        raise BadInputError(nearest, "is a file, not a folder", "choose another `out`")


def _lock(folder: Path) -> int | None:
    """Return the handle that holds the folder, None where folders cannot be locked."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BadInputError(
            folder, "another run is writing there", "wait until it is done, or choose another `out`"
        ) from error
    except OSError:  # a disk that knows no locks
        os.close(handle)
        return None
    return handle


def refuse_foreign(folder: Path, kind: Kind[Any]) -> None:
    """Refuse a folder in which somebody else's files stand where this run would write.

    :raises BadInputError: Names them. A folder with a manifest of this project is its own.
    """
    if _fingerprint(folder) is not None:
        return
    names = (_MANIFEST, _SUMMARY, *_REPORTS, *kind.table_files, *([kind.also_as] if kind.also_as else []))
    foreign = [name for name in names if (folder / name).exists()]
    if foreign:
        raise BadInputError(
            folder,
            f"holds {', '.join(foreign)}, not written by a run of forensics",
            "choose another `out`, or move them away",
        )


def finished_run(folder: Path, run: str, kind: Kind[Any]) -> Results[Any] | None:
    """Return the finished run in `folder`, if it is this one; None where there is none.

    Reports that are missing (a crash after the data were written) are rendered.

    :param folder: Where the run would write.
    :param run: Its fingerprint.
    :param kind: Its command.
    :raises BadInputError: If the folder holds a finished run of another command or of other inputs, options
        or versions.
    """
    if not any((folder / name).exists() for name in (_SUMMARY, "mixture.json")):
        return None
    if _fingerprint(folder) != (run, __version__):
        raise BadInputError(
            folder,
            "holds a finished run of other inputs, options or versions",
            "choose another `out`, or replace it with `overwrite`",
        )
    if not all((folder / name).exists() for name in (_SUMMARY, *kind.table_files)):
        return None  # somebody took a part away: compute it again
    if not all((folder / name).exists() for name in _REPORTS):
        render(folder)
    return load_results(folder)


def clear(folder: Path, kind: Kind[Any] | None = None) -> None:
    """Remove the data files of a run that is to be replaced or broke off, so that no two runs are mixed.

    :param folder: A folder that is this project's own.
    :param kind: Whose run it is; None: what its summary says.
    """
    if kind is None:
        try:
            kind = kind_of(read_json(folder / _SUMMARY).get("kind"))
        except BadInputError:
            return  # none, or none that this version knows
    # The summary first, without which a folder holds no finished run; the manifest, which marks it, last.
    for name in (_SUMMARY, *([kind.also_as] if kind.also_as else []), *kind.table_files, _MANIFEST):
        (folder / name).unlink(missing_ok=True)


def _fingerprint(folder: Path) -> tuple[str | None, str | None] | None:
    """Return fingerprint and version of the manifest in `folder`, None where it is none of this project."""
    try:
        manifest = read_json(folder / _MANIFEST)
    except BadInputError:
        return None
    versions = manifest.get("versions")
    if "fingerprint" not in manifest or not isinstance(versions, dict) or "forensics" not in versions:
        return None
    return manifest["fingerprint"], versions["forensics"]
