"""How a command on several inputs ends: one table, what failed, and the gate over all of them.

`--sarif` and `--write-accepted` hold the findings of all that ended well.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.error_line import error_line
from forensics.cli.frame.finish import EXIT_BAD_INPUT, EXIT_CONDITION_MET, printed
from forensics.cli.frame.gate import Gate, counted_results
from forensics.cli.frame.session import Session
from forensics.cli.frame.streams import write_json, write_text

if TYPE_CHECKING:
    from forensics.report.accepted import Judgement
    from forensics.report.sarif import SarifRun
    from forensics.runs.frame.many import Attempt, Task
    from forensics.runs.frame.result import Result
    from forensics.schema.index import RunEntry

__all__ = ["Finished", "finish_many"]


@dataclass(frozen=True)
class _Run:
    """What is kept of one run; its tables are not."""

    exit_code: int
    #: Why there is no result; empty where there is one.
    error: str = ""
    entry: RunEntry | None = None
    judgement: Judgement | None = None
    #: What `--sarif` holds of it.
    sarif: SarifRun | None = None
    #: The conditions that are met, each with what was found.
    failed: tuple[str, ...] = ()
    #: What `--json` prints of it.
    printed: dict[str, object] | None = None


@dataclass
class Finished:
    """The runs that have ended."""

    gate: Gate
    session: Session
    as_json: bool
    runs: dict[Path, _Run] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many have no result."""
        return sum(bool(run.error) for run in self.runs.values())

    def add(self, attempt: Attempt) -> None:
        """Judge one as soon as it has ended: from its folder, wherever it was run."""
        from forensics.report.results import load_results
        from forensics.runs.frame.result import Result

        task, error, trace = attempt.task, attempt.error, attempt.trace
        if error is None:
            try:
                found = load_results(task.folder)
                result: Result[Any] = Result(found.tables, found.summary, found.manifest, task.folder)
                self.runs[task.folder] = self._judge(result, task)
            except Exception as refused:  # as while it ran: what is wrong with one shall not cost the others
                error, trace = refused, traceback.format_exc()
        if error is not None:
            if self.session.debug:
                print(trace, file=sys.stderr)
            line = error_line(error, self.session.command, debug=self.session.debug)
            said = line if line.startswith(task.target) else f"{task.target}: {line}"
            self.runs[task.folder] = _Run(EXIT_BAD_INPUT, said)

    def _judge(self, result: Result[Any], task: Task) -> _Run:
        """Return what is kept of a result.

        :raises OptionError: If a condition asks for a number that it does not have.
        """
        from forensics.runs.index.entry import run_entry

        judgement = self.gate.judge(result, date.today())
        results = counted_results(result.results, judgement)
        met = {condition: condition.is_met(results) for condition in self.gate.conditions}
        failed = tuple(f"{each} ({each.reason(results)})" for each, is_met in met.items() if is_met)
        named = {str(condition): is_met for condition, is_met in met.items()}
        return _Run(
            EXIT_CONDITION_MET if failed else 0,
            entry=run_entry(result.results, task.folder, task.folder.parent),
            judgement=judgement,
            sarif=self.gate.sarif_run(result, judgement, task.target, task.folder.name),
            failed=failed,
            printed=printed(result, task.folder, self.gate, judgement, named) if self.as_json else None,
        )


def finish_many(finished: Finished, tasks: Sequence[Task]) -> int:
    """Show the runs in the order of the inputs and return the worst of their exit codes.

    :param finished: All of them.
    :param tasks: The inputs.
    """
    from forensics.files import dump_json
    from forensics.report.accepted import together

    runs = [(task, finished.runs[task.folder]) for task in tasks]
    judged = [run.judgement for _, run in runs if run.judgement is not None]
    judgement = together(judged, are_all=len(judged) == len(runs))
    if judged:
        finished.gate.write(judgement, [run.sarif for _, run in runs])
    if finished.as_json:
        write_json(dump_json(_json(runs)))
    else:
        write_text(_text(runs))
    for warning in finished.gate.warnings(judgement):
        print(f"warning: {warning}", file=sys.stderr)
    for task, run in runs:
        for line in run.failed:
            print(f"failed: {task.target}: {line}", file=sys.stderr)
        if run.error:
            print(f"error: {run.error}", file=sys.stderr)
    return max(run.exit_code for _, run in runs)


def _json(runs: Sequence[tuple[Task, _Run]]) -> dict[str, object]:
    """Return the one object of `--json`."""
    shown = [
        {
            "input": task.target,
            "out": str(task.folder),
            "exit_code": run.exit_code,
            "error": run.error or None,
            "result": run.printed,
        }
        for task, run in runs
    ]
    failed = sum(bool(run.error) for _, run in runs)
    return {"inputs": len(runs), "failed": failed, "runs": shown}


def _text(runs: Sequence[tuple[Task, _Run]]) -> str:
    """Return the table and what failed; why it did stands on standard error."""
    from forensics.cli.frame.console import drawn
    from forensics.report.kinds.kind import Brief, Fact
    from forensics.report.sections.index.runs import run_table

    entries = [run.entry for _, run in runs if run.entry is not None]
    failed = [task.target for task, run in runs if run.error]
    met = [task.target for task, run in runs if run.failed]
    headline = f"{len(entries):,} of {len(runs):,} done" + (f", {len(failed):,} failed." if failed else ".")
    accepted = sum(len(run.judgement.accepted) for _, run in runs if run.judgement is not None)
    facts = [Fact("failed", ", ".join(failed))] if failed else []
    facts += [Fact("--fail-on", f"met by {', '.join(met)}")] if met else []
    facts += [Fact("accepted", f"{accepted:,} findings")] if accepted else []
    brief = Brief(tuple(facts), (run_table(entries),) if entries else ())
    above = {task.folder.parent for task, _ in runs}
    return f"{drawn(headline, brief)}\nfolders  {', '.join(map(str, sorted(above)))}\n"
