"""How every analysing command ends: words or JSON, and the gate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.fail_on import Condition
from forensics.cli.frame.streams import write_json

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["EXIT_CONDITION_MET", "finish"]

EXIT_CONDITION_MET = 1


def finish(result: Result[Any], out: Path, conditions: Sequence[Condition], *, as_json: bool) -> int:
    """Show a result and return the exit code that the conditions ask for.

    :param result: What the library gave, saved already.
    :param out: Where.
    :param conditions: Of `--fail-on`; each that is met is named on standard error.
    :param as_json: Print one JSON object instead of words.
    :raises OptionError: If a condition asks for a number the run does not have.
    """
    from forensics.cli.frame.console import print_summary
    from forensics.files import dump_json

    met = {str(condition): condition.is_met(result.results) for condition in conditions}
    if as_json:
        left_out = result.kind.not_printed
        shown = {key: value for key, value in result.summary.items() if key not in left_out}
        gate = {"fail_on": met} if conditions else {}
        write_json(dump_json({**shown, "out": str(out), **gate}))
    else:
        print_summary(result, out)
    for condition in conditions:
        if met[str(condition)]:
            print(f"failed: {condition} ({condition.reason(result.results)})", file=sys.stderr)
    return EXIT_CONDITION_MET if any(met.values()) else 0
