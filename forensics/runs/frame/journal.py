"""The journal of a long run: results appended as they come, so that an interruption loses nothing.

One JSON object a line. The first line holds the fingerprint of everything that the results depend on and
the version of this project; a journal with another first line is put aside, never mixed in. A last line
that was cut off by a crash is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from forensics import __version__
from forensics.errors import OutputError
from forensics.files import make_folder

__all__ = ["Journal", "fingerprint"]


def fingerprint(facts: Mapping[str, Any]) -> str:
    """Return a hash of `facts` (JSON values), the same for the same facts in any order."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class Journal:
    """Entries of one run, those of an interrupted earlier one included."""

    def __init__(self, path: Path, run: str, *, resume: bool = True) -> None:
        """Read what an interrupted run left, and open the file for appending.

        :param path: The journal's file; its folder is created.
        :param run: The run's `fingerprint`.
        :param resume: Whether to keep what is there; if not, or if it is another run's or another
            version's, it is replaced.
        :raises OutputError: If the file cannot be written.
        """
        self.path = path
        make_folder(path.parent)
        entries = list(_read(path)) if resume else []
        header = {"fingerprint": run, "version": __version__}
        matches = bool(entries) and entries[0] == header
        #: Entries of the interrupted run, oldest first.
        self.entries: list[dict[str, Any]] = entries[1:] if matches else []
        try:
            self._file: IO[str] = path.open("w", encoding="utf-8")
        except OSError as error:
            raise _cannot_write(path, error) from error
        # Written again rather than appended to: the last line may be half a line.
        for entry in [header, *self.entries]:
            self._write(entry)
        self._sync()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry and hand it to the system at once.

        :raises OutputError: If the disk is full.
        """
        self._write(entry)
        self._sync()

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._file.close()

    def remove(self) -> None:
        """Close and delete the file: the run is finished and its results are saved."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, entry: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def _sync(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a journal up to the first line that is not whole."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split(os.linesep)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_write(path, error) from error
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not isinstance(entry, dict):
            return
        yield entry


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the journal cannot be kept ({error.strerror or error}); free space or choose another --out"
    )
