"""Small files: read with every failure as one error, written whole or not at all, JSON in one spelling.

A file is written beside its final place, in the same folder, flushed to the disk and then renamed: a
reader sees the old file or the new one, and a full disk or a signal leaves no half of either.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from forensics.errors import BadInputError, OutputError

__all__ = [
    "dump_json",
    "make_folder",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_text",
    "write_atomically",
    "write_json",
    "write_text",
]

#: For a file of ours as for one of a model folder.
_REWRITE = "the file is cut short or damaged; download it again, or run the command that wrote it again"


def make_folder(folder: Path) -> Path:
    """Return `folder`, created with its parents if need be.

    :raises OutputError: If it cannot be created, or a file is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _output_error(folder, error) from error
    return folder


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Return `path` after `write` has filled it; on any failure the old file stays as it was.

    :param path: Where the file shall appear; its folder is created if need be.
    :param write: Called once with a binary file opened for writing.
    :raises OutputError: If the disk is full, the folder is read-only and the like, in one line.
    """
    make_folder(path.parent)
    # The process id and four random bytes: two runs into one folder never share a temporary file.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        # After a success the name is gone already; after a failure or Ctrl-C this removes the part.
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return path


def write_text(path: Path, text: str) -> Path:
    r"""Write `text` as UTF-8 with ``\n`` line ends; lone surrogates become ``\udcXX``."""
    data = text.encode("utf-8", "backslashreplace")
    return write_atomically(path, lambda file: file.write(data))


def write_json(path: Path, value: object) -> Path:
    """Write `value` as JSON in the spelling of :func:`dump_json`."""
    return write_text(path, dump_json(value))


def dump_json(value: object) -> str:
    r"""Return `value` as indented JSON whose bytes depend on the value alone.

    Keys keep the order they were inserted in (a report is read from top to bottom), numpy scalars and
    arrays, paths and enums become plain JSON, sets are sorted, NaN and infinities become null.

    >>> dump_json({"share": float("nan"), "ids": (3, 1)})
    '{\n  "share": null,\n  "ids": [3, 1]\n}\n'
    """
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2)
    return _short_lists_on_one_line(text) + "\n"


def read_bytes(path: Path) -> bytes:
    """Return the content of `path`.

    :raises BadInputError: If it is missing, a folder, or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInputError(path, "no such file", "check the path") from error
    except IsADirectoryError as error:
        raise BadInputError(path, "a folder where a file was expected", "name the file") from error
    except OSError as error:
        found = f"cannot be read ({error.strerror or error})"
        raise BadInputError(path, found, "check its permissions and the disk") from error


def read_text(path: Path) -> str:
    """Return the content of `path` as text, line ends untouched.

    :raises BadInputError: If it cannot be read or is not UTF-8.
    """
    data = read_bytes(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start:,} is not valid UTF-8"
        raise BadInputError(path, found, "the file is damaged or of another format") from error


def parse_json(path: Path, text: str) -> Any:
    """Return the parsed JSON `text` of `path`.

    :raises BadInputError: If it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(path, f"not valid JSON ({error})", _REWRITE) from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    :raises BadInputError: If the file cannot be read or holds anything but a JSON object.
    """
    value = parse_json(path, read_text(path))
    if not isinstance(value, dict):
        raise BadInputError(path, f"a JSON {type(value).__name__} where an object was expected", _REWRITE)
    return value


def _plain(value: object) -> object:
    """Return `value` built from what JSON knows."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return [_plain(part) for part in sorted(value)]
    # numpy scalars and arrays, without importing numpy here: both know how to become Python values.
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Iterable):
        return [_plain(part) for part in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _short_lists_on_one_line(text: str) -> str:
    """Join lists of numbers, which `indent` spreads over a line each: ids by the thousand stay readable."""
    lines: list[str] = []
    pending: list[str] | None = None
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.endswith("[") and pending is None:
            pending = [line]
        elif pending is not None:
            number = stripped.rstrip(",")
            if stripped.startswith("]"):
                lines.append(pending[0] + " ".join(part.strip() for part in pending[1:]) + stripped)
                pending = None
            elif number == "null" or number[:1] in "-0123456789":
                pending.append(line)
            else:  # a list of something else: leave it as it was
                lines += [*pending, line]
                pending = None
                if stripped.endswith("["):
                    lines.pop()
                    pending = [line]
        else:
            lines.append(line)
    return "\n".join(lines)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _output_error(path: Path, error: OSError) -> OutputError:
    """Return the one line a user reads when `path` could not be written."""
    reason = error.strerror or str(error)
    return OutputError(
        " ".join(f"{path}: cannot be written ({reason}); free space or choose another `out`".split())
    )
