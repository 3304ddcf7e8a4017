"""What a run does with its folder: keep a finished run, refuse to mix two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.report.results import load_results
from forensics.runs.frame.result import RunResult

__all__ = ["finished_manifest", "finished_run"]

#: What a finished run of any command has beside its manifest.
_SUMMARIES = ("summary.json", "mixture.json")


def finished_manifest(folder: Path, run: str, summary: str) -> dict[str, Any] | None:
    """Return the manifest of the finished run in `folder`, if it is this one; None where there is none.

    :param folder: The folder of `--out`.
    :param run: The fingerprint of the run that is about to start.
    :param summary: The file that the command writes its summary to.
    :raises BadInputError: If the folder holds a finished run of another command or of other inputs, options
        or versions.
    """
    manifest = folder / "manifest.json"
    if not (manifest.exists() and any((folder / name).exists() for name in _SUMMARIES)):
        return None
    found: dict[str, Any] = read_json(manifest)
    same_version = found.get("versions", {}).get("forensics") == __version__
    if found.get("fingerprint") != run or not same_version or not (folder / summary).exists():
        raise BadInputError(
            folder,
            "holds a finished run of other inputs, options or versions",
            "name another folder with --out, or replace it with --overwrite",
        )
    return found


def finished_run(folder: Path, run: str) -> RunResult | None:
    """Return the finished run with a table of tokens in `folder`, as `finished_manifest` does."""
    if finished_manifest(folder, run, "summary.json") is None:
        return None
    results = load_results(folder)
    return RunResult(results.tokens, dict(results.summary), dict(results.manifest), folder)
