"""Small text and JSON files, with every way of being unreadable turned into one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError

__all__ = ["parse_json", "read_bytes", "read_json_object", "read_text"]


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
        found = f"not valid JSON ({error})"
        raise BadInputError(path, found, "the file is cut short or damaged; download it again") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    :raises BadInputError: If the file cannot be read or holds anything but a JSON object.
    """
    value = parse_json(path, read_text(path))
    if not isinstance(value, dict):
        found = f"a JSON {type(value).__name__} where an object was expected"
        raise BadInputError(path, found, "the file is damaged or of another format")
    return value
