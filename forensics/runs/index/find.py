"""Which folders under a folder hold a run, finished or not; what others wrote there is passed over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.report.kinds import kind_names
from forensics.report.results import Results, load_results

__all__ = ["open_run", "run_folders"]

_SUMMARY, _MANIFEST = "summary.json", "manifest.json"
#: The first line of a journal is shorter than this, in bytes.
_LONGEST_HEADER = 4096


def run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of runs, from `root` down, sorted; indexes are left out.

    Folders that cannot be looked into come last: whether they hold a run, nobody knows.
    """
    unreadable: list[OSError] = []
    for place, folders, files in os.walk(root, onerror=unreadable.append):
        folders.sort()
        folder = Path(place)
        if _is_run(folder, sorted(files)):
            yield folder
    yield from (Path(error.filename) for error in unreadable)


def open_run(folder: Path) -> Results[Any]:
    """Return a finished run.

    :raises BadInputError: If it is damaged, was never finished, or is of another version.
    """
    try:
        files = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        found = f"cannot be looked into ({error.strerror or error})"
        raise BadInputError(folder, found, "check its permissions") from error
    if _SUMMARY not in files:
        if journal := _journal(folder, files):
            found, remedy = f"not finished: {journal} keeps what was done", "the same command continues it"
            raise BadInputError(folder, found, remedy)
        raise BadInputError(folder, f"not finished: there is no {_SUMMARY}", "run the command again")
    return load_results(folder)


def _is_run(folder: Path, files: list[str]) -> bool:
    """Whether a command of this project wrote into a folder, and it is no index."""
    summary = _json(folder / _SUMMARY) if _SUMMARY in files else None
    if summary is not None and summary.get("kind") in kind_names():
        return summary["kind"] != "index"
    manifest = _json(folder / _MANIFEST) if _MANIFEST in files else None
    return (manifest is not None and "fingerprint" in manifest) or _journal(folder, files) is not None


def _json(path: Path) -> dict[str, object] | None:
    try:
        return read_json(path)
    except BadInputError:
        return None


def _journal(folder: Path, files: list[str]) -> str | None:
    """Return the name of the journal that an interrupted run left."""
    for name in files:
        if name.endswith(".jsonl"):
            try:
                with (folder / name).open("rb") as file:
                    header = json.loads(file.readline(_LONGEST_HEADER))
            except (OSError, ValueError):
                continue
            if isinstance(header, dict) and set(header) == {"fingerprint", "version"}:
                return name
    return None
