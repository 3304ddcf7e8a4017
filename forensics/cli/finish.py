"""How every analysing command ends: files, words or JSON, and the gate."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from forensics.cli.fail_on import Condition
from forensics.cli.main import EXIT_CONDITION_MET

__all__ = ["Saved", "finish"]


class Saved(Protocol):
    """What the library's results have in common."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """The content of summary.json."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where it has been saved already, or None."""
        ...

    def save(self, folder: Path) -> object:
        """Write data files and reports."""
        ...


def finish(
    result: Saved,
    out: Path,
    show: Callable[[], None],
    *,
    as_json: bool,
    conditions: Sequence[Condition] = (),
    left_out: Collection[str] = (),
) -> int:
    """Save a result, show it, and return the exit code that the conditions ask for.

    :param result: What the library gave.
    :param out: The folder it goes to.
    :param show: Prints it in words.
    :param as_json: Print one JSON object instead.
    :param conditions: Of `--fail-on`; each that is met is named on standard error.
    :param left_out: Keys of the summary that would bury the rest of the JSON object; the file has them.
    :raises BadInputError: If a condition asks for a number the run does not have; the files are written then.
    """
    from forensics.files import dump_json

    if result.folder is None:
        result.save(out)
    met = {str(condition): condition.is_met(result.summary) for condition in conditions}
    if as_json:
        whole = {key: value for key, value in result.summary.items() if key not in left_out}
        gate = {"fail_on": met} if conditions else {}
        sys.stdout.write(dump_json({**whole, "out": str(out), **gate}))
    else:
        show()
    for condition in conditions:
        if met[str(condition)]:
            value = condition.value(result.summary)
            print(f"failed: {condition} ({condition.key} is {value:,.6g})", file=sys.stderr)
    return EXIT_CONDITION_MET if any(met.values()) else 0
