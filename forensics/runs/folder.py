"""What a run does with its folder: keep a finished run, refuse to mix two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.report.files import read_json
from forensics.report.results import load_results
from forensics.runs.result import RunResult

__all__ = ["finished_run"]


def finished_run(folder: Path, run: str) -> RunResult | None:
    """Return the finished run in `folder`, if it has the same inputs; None where there is none.

    :param folder: The folder of `--out`.
    :param run: The fingerprint of the run that is about to start.
    :raises BadInputError: If the folder holds a finished run of other inputs or options.
    """
    manifest = folder / "manifest.json"
    if not (manifest.exists() and (folder / "summary.json").exists()):
        return None
    found: dict[str, Any] = read_json(manifest)
    if found.get("fingerprint") != run:
        raise BadInputError(
            folder,
            "holds a finished run of other inputs, options or versions",
            "name another folder with --out, or replace it with --overwrite",
        )
    results = load_results(folder)
    return RunResult(results.tokens, dict(results.summary), dict(results.manifest), folder)
