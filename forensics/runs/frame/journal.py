"""The journal of a long run: results by key, written as they come, so that an interruption loses nothing.

One JSON object a line. The first line holds the run's fingerprint and the version of this project; a journal
with another first line is replaced, never mixed in. Lines that a crash has damaged are passed over: what
they held is computed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from forensics import __version__
from forensics.errors import OutputError
from forensics.files import write_atomically

__all__ = ["Journal"]


class Journal:
    """Results of one run by key, those of an interrupted earlier one included."""

    def __init__(self, path: Path | None, run: str, *, resume: bool = True) -> None:
        """Read what an interrupted run left.

        :param path: The journal's file, which appears with the first result; None keeps nothing.
        :param run: The run's fingerprint.
        :param resume: Whether to take up what is there.
        :raises OutputError: If the file is there and cannot be read.
        """
        self.path = path
        self._header = {"fingerprint": run, "version": __version__}
        self._kept: dict[str, Any] = {}
        self._file: IO[bytes] | None = None
        lines = list(_read(path)) if path is not None and resume else []
        if lines and lines[0] == self._header:
            self._kept = {line["key"]: line["value"] for line in lines[1:] if {"key", "value"} <= set(line)}

    def __len__(self) -> int:
        """Return the number of results that an interrupted run left."""
        return len(self._kept)

    def recall(self, key: str) -> Any:
        """Return what an interrupted run kept under `key`, or None."""
        return self._kept.get(key)

    def kept(self) -> Iterator[Any]:
        """Yield everything that an interrupted run kept, oldest first."""
        yield from self._kept.values()

    def keep(self, key: str, value: Any) -> None:
        """Write one result and hand it to the system at once.

        :param value: What JSON knows.
        :raises OutputError: If the disk is full.
        """
        if self.path is None:
            return
        if self._file is None:
            self._file = self._begin(self.path)
        _append(self._file, _line({"key": key, "value": value}), self.path)

    def close(self) -> None:
        """Close the file and leave it where it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Close and delete the file: the run is finished and its results are saved."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _begin(self, path: Path) -> IO[bytes]:
        """Replace the file by one with the header and whole lines only, and open it for appending."""
        entries = [self._header, *({"key": key, "value": value} for key, value in self._kept.items())]
        write_atomically(path, lambda file: file.writelines(map(_line, entries)))
        try:
            # Without a buffer: what is appended has reached the system, and closing has nothing left to fail.
            return path.open("ab", buffering=0)
        except OSError as error:
            raise _cannot_write(path, error) from error


def _line(entry: dict[str, Any]) -> bytes:
    return (json.dumps(entry) + "\n").encode()


def _append(file: IO[bytes], line: bytes, path: Path) -> None:
    """Write the whole line; the system may take it in parts."""
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _cannot_write(path, error) from error


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal that are whole."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_write(path, error) from error
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the journal cannot be kept ({error.strerror or error}); free space or choose another `out`"
    )
