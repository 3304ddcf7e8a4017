"""How every analysing command ends: files, words or JSON, and the gate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from forensics.cli.fail_on import Condition
from forensics.cli.main import EXIT_CONDITION_MET

__all__ = ["Saved", "finish"]


class Saved(Protocol):
    """What the library's results have in common."""

    @property
    def tokens(self) -> Any:
        """The table, a pandas DataFrame."""
        ...

    @property
    def summary(self) -> Any:
        """The summary, a mapping."""
        ...

    @property
    def manifest(self) -> Any:
        """The manifest, a mapping."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where it has been saved already, or None."""
        ...

    def save(self, folder: Path) -> object:
        """Write data files and reports."""
        ...


def finish(result: Saved, out: Path, *, as_json: bool, conditions: Sequence[Condition] = ()) -> int:
    """Save a result, show it, and return the exit code that the conditions ask for.

    :param result: What the library gave.
    :param out: The folder it goes to.
    :param as_json: Print one JSON object instead of words.
    :param conditions: Of `--fail-on`; each that is met is named on standard error.
    :raises BadInputError: If a condition asks for a number the run does not have; the files are written then.
    """
    from forensics.cli.summary import print_json, print_summary
    from forensics.report.results import Results

    if result.folder is None:
        result.save(out)
    met = {str(condition): condition.is_met(result.summary) for condition in conditions}
    results = Results(result.tokens, result.summary, result.manifest)
    if as_json:
        print_json(results, out, met)
    else:
        print_summary(results, out)
    for condition in conditions:
        if met[str(condition)]:
            value = condition.value(result.summary)
            print(f"failed: {condition} ({condition.key} is {value:,.6g})", file=sys.stderr)
    return EXIT_CONDITION_MET if any(met.values()) else 0
