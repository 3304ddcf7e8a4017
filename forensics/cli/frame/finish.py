"""How every analysing command ends: words or JSON, and the gate."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.gate import Gate, accepted_lines, counted_results
from forensics.cli.frame.streams import write_json, write_text

if TYPE_CHECKING:
    from forensics.report.accepted import Judgement
    from forensics.runs.frame.result import Result

__all__ = ["EXIT_BAD_INPUT", "EXIT_CONDITION_MET", "finish", "printed"]

EXIT_CONDITION_MET = 1
EXIT_BAD_INPUT = 2


def finish(result: Result[Any], target: str, out: Path, gate: Gate, *, as_json: bool) -> int:
    """Show a result and return the exit code that the conditions ask for.

    :param result: What the library gave, saved already.
    :param target: What was examined, as typed.
    :param out: Where it was saved.
    :param gate: A condition that is met is named on standard error, and so is an entry that accepts nothing.
    :param as_json: Print one JSON object instead of words.
    :raises OptionError: If a condition asks for a number the run does not have.
    """
    from forensics.cli.frame.console import print_summary
    from forensics.files import dump_json

    judgement = gate.judge(result, date.today())
    gate.write(judgement, [gate.sarif_run(result, judgement, target)])
    results = counted_results(result.results, judgement)
    met = {str(condition): condition.is_met(results) for condition in gate.conditions}
    if as_json:
        write_json(dump_json(printed(result, out, gate, judgement, met)))
    else:
        print_summary(result, out)
        write_text("".join(f"{line}\n" for line in accepted_lines(judgement)))
    for warning in gate.warnings(judgement):
        print(f"warning: {warning}", file=sys.stderr)
    for condition in gate.conditions:
        if met[str(condition)]:
            print(f"failed: {condition} ({condition.reason(results)})", file=sys.stderr)
    return EXIT_CONDITION_MET if any(met.values()) else 0


def printed(
    result: Result[Any], out: Path, gate: Gate, judgement: Judgement, met: Mapping[str, bool]
) -> dict[str, object]:
    """Return the object that `--json` prints.

    :param result: The run.
    :param out: Where it was saved.
    :param gate: The gate it was put to.
    :param judgement: Which of its findings are accepted.
    :param met: Condition -> whether it is met.
    """
    left_out = result.kind.not_printed
    shown = {key: value for key, value in result.summary.items() if key not in left_out}
    accepted = gate.to_json(judgement)
    shown |= {} if accepted is None else {"accepted": accepted}
    shown |= {"fail_on": met} if gate.conditions else {}
    return {**shown, "out": str(out)}
