"""What a gate is given on the command line, and what it says and writes at the end of a run.

`--fail-on` names conditions, `--accepted` the findings that do not count, `--write-accepted` and `--sarif`
the files to write. What is wrong with them is said before the long work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from forensics.cli.frame.fail_on import Condition
from forensics.errors import OptionError

if TYPE_CHECKING:
    from forensics.report.accepted import Acceptance, Judgement
    from forensics.report.results import Results
    from forensics.report.sarif import SarifRun
    from forensics.runs.frame.result import Result
    from forensics.schema.finding import Finding

__all__ = ["AcceptedFile", "Gate", "accepted_lines", "counted_results", "read_accepted_file"]


@dataclass(frozen=True)
class AcceptedFile:
    """What `--accepted` names, read."""

    path: Path
    entries: tuple[Acceptance, ...]


class AcceptedJson(TypedDict):
    """One finding or entry, as `--json` shows it."""

    rule: NotRequired[str]
    subject: NotRequired[str]
    fingerprint: NotRequired[str]
    reason: str
    expires: NotRequired[str]


class JudgementJson(TypedDict):
    """What `--json` shows of the accepted file."""

    #: Findings that it accepts.
    findings: list[AcceptedJson]
    #: Entries that match nothing.
    stale: list[AcceptedJson]
    #: Entries that count no more.
    expired: list[AcceptedJson]


@dataclass(frozen=True)
class Gate:
    """The options of a gate."""

    conditions: Sequence[Condition] = ()
    accepted: AcceptedFile | None = None
    write_accepted: Path | None = None
    sarif: Path | None = None

    def check(self) -> None:
        """Refuse to write over reasons that somebody has filled in.

        :raises OptionError: If the file to write is there and is not the one that was read.
        """
        path = self.write_accepted
        if path is None or not path.exists():
            return
        if self.accepted is None or not path.samefile(self.accepted.path):
            remedy = "give another name, or name it with --accepted too: what it accepts is kept then"
            raise OptionError("write_accepted", f"{path} exists already", remedy)

    def judge(self, result: Result[Any], today: date) -> Judgement:
        """Return which findings of a run are accepted."""
        from forensics.report.accepted import judge

        entries = self.accepted.entries if self.accepted else ()
        return judge(result.findings, entries, result.kind.rules, today)

    def sarif_run(
        self, result: Result[Any], judgement: Judgement, target: str, name: str | None = None
    ) -> SarifRun | None:
        """Return what `--sarif` holds of a run, None where it was not asked for.

        :param target: What was examined, as typed.
        :param name: What it is called in the file; None: the last part of `target`.
        """
        from forensics.report.places import places_of
        from forensics.report.sarif import sarif_run

        if self.sarif is None:
            return None
        kind, files = result.kind, result.manifest.get("files", [])
        places = places_of(result.findings, kind.rules, target, files, Path.cwd())
        name = name or target.rstrip("/").rsplit("/", 1)[-1] or target
        return sarif_run(judgement, kind.rules, kind.name, name, places)

    def write(self, judgement: Judgement, runs: Sequence[SarifRun | None]) -> None:
        """Write the files that were asked for.

        :param judgement: Of all runs together.
        :param runs: What `sarif_run` gave for each.
        :raises OutputError: If one cannot be written.
        """
        from forensics.files import write_json
        from forensics.report.accepted import write_accepted
        from forensics.report.sarif import sarif_log

        if self.write_accepted is not None:
            write_accepted(self.write_accepted, judgement)
        if self.sarif is not None:
            write_json(self.sarif, sarif_log([run for run in runs if run is not None]))

    def warnings(self, judgement: Judgement) -> list[str]:
        """Return what is to be said of entries that have had their day."""
        path = self.accepted.path if self.accepted else None
        said = [f"{path}: {entry}: no such finding any longer; remove the entry" for entry in judgement.stale]
        said += [
            f"{path}: {entry}: expired on {entry.expires} and counts no more; look at it again"
            for entry in judgement.expired
        ]
        return [_one_line(line) for line in said]

    def to_json(self, judgement: Judgement) -> JudgementJson | None:
        """Return what `--json` shows, None without `--accepted`."""
        if self.accepted is None:
            return None
        return {
            "findings": [_finding_json(finding, entry) for finding, entry in judgement.accepted],
            "stale": [_entry_json(entry) for entry in judgement.stale],
            "expired": [_entry_json(entry) for entry in judgement.expired],
        }


def read_accepted_file(path: Path) -> AcceptedFile:
    """Read the file that `--accepted` names.

    :raises BadInputError: If it is damaged or incomplete.
    """
    from forensics.report.accepted import read_accepted
    from forensics.report.kinds import kind_names, kind_of

    rules = {rule.id for name in kind_names() for rule in kind_of(name).rules}
    return AcceptedFile(path, read_accepted(path, rules))


def counted_results(results: Results[Any], judgement: Judgement) -> Results[Any]:
    """Return a run of which accepted findings do not count."""
    accepted = frozenset(finding.fingerprint for finding, _ in judgement.accepted)
    return replace(results, accepted=accepted)


def accepted_lines(judgement: Judgement) -> list[str]:
    """Return the lines that show accepted findings apart, none where there are none."""
    if not judgement.accepted:
        return []
    lines = [f"accepted  {len(judgement.accepted):,} of {_total(judgement):,} findings"]
    for finding, entry in judgement.accepted:
        until = f" (until {entry.expires})" if entry.expires else ""
        lines.append(_one_line(f"  {finding.rule} {finding.subject}: {entry.reason}{until}"))
    return lines


def _total(judgement: Judgement) -> int:
    return len(judgement.accepted) + len(judgement.open)


def _one_line(text: str) -> str:
    """Return text without line ends and characters that cannot be seen or move others."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _finding_json(finding: Finding, entry: Acceptance) -> AcceptedJson:
    shown = _entry_json(entry)
    return {**shown, "rule": finding.rule, "subject": finding.subject, "fingerprint": finding.fingerprint}


def _entry_json(entry: Acceptance) -> AcceptedJson:
    shown = AcceptedJson(reason=entry.reason)
    if entry.rule is not None:
        shown["rule"] = entry.rule
    if entry.subject is not None:
        shown["subject"] = entry.subject
    if entry.fingerprint is not None:
        shown["fingerprint"] = entry.fingerprint
    if entry.expires is not None:
        shown["expires"] = entry.expires.isoformat()
    return shown
