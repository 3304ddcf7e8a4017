"""`manifest.json`: where a run's numbers come from. Plain dictionaries, typed for mypy and for reading back.

No postponed annotations here: `NotRequired` would be hidden in a string from what reads the types.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from forensics.schema.record import JsonValue

__all__ = ["FileEntry", "Manifest"]


class FileEntry(TypedDict):
    """One file that was read."""

    #: What it was read for (`model`, `tokenizer`, `text NAME`, ...).
    role: NotRequired[str]
    #: Relative to the folder that the files of its role have in common: a manifest is made to be handed on,
    #: and where the reader's copy lies, or the author's home is called, is no part of a run.
    path: str
    size: int
    sha256: str


class Manifest(TypedDict, total=False):
    """What `manifest.json` holds; a run from before a key was introduced lacks it."""

    #: The hash of everything that the results depend on.
    fingerprint: str | None
    files: list[FileEntry]
    #: Python, Unicode, this project and every library that touched a number -> version.
    versions: Mapping[str, str]
    #: The arguments as typed; None for a call from Python.
    command_line: list[str] | None
    seed: int | None
    #: Option -> the value that was used.
    parameters: Mapping[str, JsonValue]
    machine: Mapping[str, JsonValue]
