"""Findings that somebody has looked at and accepts: a TOML file of them, and what it makes of a run.

An entry:

    [[accepted]]
    rule = "role-disagreement"
    subject = "pad"
    reason = "padding is never seen by the model"
    expires = 2027-06-30

An entry names one finding, by rule and subject or by fingerprint, and says why; an entry without a reason is
refused. One file may serve several commands: entries for rules of another command are left alone. What an
accepted finding changes is the gate; tables, reports and `Result.findings` hold all findings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_text, write_text
from forensics.schema.finding import Finding, Rule

__all__ = ["Acceptance", "Judgement", "judge", "read_accepted", "together", "write_accepted"]

_KEYS = ("rule", "subject", "fingerprint", "reason", "expires")
_HEAD = """\
# Findings that are accepted: shown apart, and not counted by --fail-on.
# Each needs a reason; `expires = YYYY-MM-DD` is the last day on which it counts.
"""


@dataclass(frozen=True)
class Acceptance:
    """One entry: which finding, and why it is accepted."""

    reason: str
    rule: str | None = None
    subject: str | None = None
    fingerprint: str | None = None
    #: The last day on which it counts.
    expires: date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding: all that it names is the same."""
        pairs = (
            (self.rule, finding.rule),
            (self.subject, finding.subject),
            (self.fingerprint, finding.fingerprint),
        )
        return all(named in (None, found) for named, found in pairs)

    def __str__(self) -> str:
        """Which finding it names, for a person."""
        named = (self.rule, self.subject, self.fingerprint and f"fingerprint {self.fingerprint}")
        return " ".join(part for part in named if part)


@dataclass(frozen=True)
class Judgement:
    """What the entries make of the findings of one run."""

    #: Findings that nobody accepted, or no longer.
    open: tuple[Finding, ...]
    #: Each accepted finding with the entry that accepts it.
    accepted: tuple[tuple[Finding, Acceptance], ...] = ()
    #: Entries for rules of this command that no finding matches.
    stale: tuple[Acceptance, ...] = ()
    #: Entries that match a finding, and whose last day is over.
    expired: tuple[Acceptance, ...] = ()
    #: Entries for rules of other commands.
    foreign: tuple[Acceptance, ...] = ()


def read_accepted(path: Path, rules: Iterable[str]) -> tuple[Acceptance, ...]:
    """Read a file of accepted findings.

    :param path: A TOML file.
    :param rules: The ids of all rules there are, of every command: a misspelt one would never be noticed.
    :raises BadInputError: If it is missing, no TOML, or an entry is incomplete or holds what nobody knows.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInputError(path, f"not valid TOML ({error})", "correct the file") from error
    entries = data.pop("accepted", [])
    if data or not isinstance(entries, list):
        found = f"the key {next(iter(data))!r}" if data else "`accepted` that is no list"
        raise BadInputError(path, f"found {found}", "write one [[accepted]] table for each finding")
    known = frozenset(rules)
    return tuple(_entry(path, number, entry, known) for number, entry in enumerate(entries, 1))


def together(judgements: Sequence[Judgement], *, are_all: bool) -> Judgement:
    """Return the judgement of several runs as one.

    :param judgements: Of runs that were given the same entries.
    :param are_all: Whether no run is missing; an entry is stale if no run has its finding, and of a missing
        one that is not known.
    """
    first = judgements[0] if judgements else Judgement(())
    unused = [entry for entry in first.stale if all(entry in each.stale for each in judgements)]
    foreign = first.foreign if are_all else (*first.foreign, *unused)
    return Judgement(
        open=tuple(finding for each in judgements for finding in each.open),
        accepted=tuple(pair for each in judgements for pair in each.accepted),
        stale=tuple(unused) if are_all else (),
        expired=tuple(dict.fromkeys(entry for each in judgements for entry in each.expired)),
        foreign=foreign,
    )


def _entry(path: Path, number: int, entry: Any, rules: frozenset[str]) -> Acceptance:
    """Return one entry, checked."""

    def refuse(found: str, remedy: str) -> BadInputError:
        return BadInputError(path, f"entry {number} {found}", remedy)

    if not isinstance(entry, Mapping):
        raise refuse("is no table", "write one [[accepted]] table for each finding")
    for key, value in entry.items():
        if key not in _KEYS:
            raise refuse(f"has the unknown key {key!r}", f"use {', '.join(_KEYS)}")
        if key != "expires" and not isinstance(value, str):
            raise refuse(f"has a {key} that is no text", "put it in quotation marks")
    rule, subject, fingerprint, expires = (
        entry.get(key) for key in ("rule", "subject", "fingerprint", "expires")
    )
    if fingerprint is None and (rule is None or subject is None):
        raise refuse("does not name a finding", "give `rule` and `subject`, or `fingerprint`")
    if rule is not None and rule not in rules:
        raise refuse(f"names the unknown rule {rule!r}", f"choose from {', '.join(sorted(rules))}")
    # A moment in time is a date to Python, but not a last day.
    if expires is not None and (not isinstance(expires, date) or isinstance(expires, datetime)):
        raise refuse(f"expires on {str(expires)[:40]!r}", "write a date without quotation marks: 2027-06-30")
    reason = entry.get("reason", "").strip()
    named = Acceptance(reason, rule, subject, fingerprint, expires)
    if not reason:
        raise refuse(f"({named}) has no reason", "say in `reason` why the finding is accepted, or remove it")
    return named


def judge(
    findings: Iterable[Finding], entries: Sequence[Acceptance], rules: Iterable[Rule], today: date
) -> Judgement:
    """Return which findings are accepted, and which entries have had their day.

    :param findings: Of one run.
    :param entries: Of the file; the first that covers a finding and has not expired accepts it.
    :param rules: Those of the run's command.
    :param today: The day on which an entry must not have expired.
    """
    current = [entry for entry in entries if entry.expires is None or entry.expires >= today]
    open_findings: list[Finding] = []
    accepted: list[tuple[Finding, Acceptance]] = []
    used: set[Acceptance] = set()
    for finding in findings:
        used.update(entry for entry in entries if entry.covers(finding))
        by = next((entry for entry in current if entry.covers(finding)), None)
        if by is None:
            open_findings.append(finding)
        else:
            accepted.append((finding, by))
    own = {rule.id for rule in rules}
    foreign = tuple(entry for entry in entries if entry.rule is not None and entry.rule not in own)
    return Judgement(
        open=tuple(open_findings),
        accepted=tuple(accepted),
        stale=tuple(entry for entry in entries if entry not in used and entry not in foreign),
        expired=tuple(entry for entry in entries if entry in used and entry not in current),
        foreign=foreign,
    )


def write_accepted(path: Path, judgement: Judgement) -> Path:
    """Write a file that accepts all findings of a run, once a person has filled in the reasons.

    Entries that still count keep their reason and their last day, and those for other commands stay; stale
    ones are left out, and a finding whose entry has expired must be given a reason again.

    :raises OutputError: If it cannot be written.
    """
    kept = dict.fromkeys([*(entry for _, entry in judgement.accepted), *judgement.foreign])
    blocks = [_table(entry, "") for entry in kept]
    # Two findings with one fingerprint are one thing to accept.
    new = {finding.fingerprint: finding for finding in judgement.open}
    blocks += [_table(_naming(finding), finding.message) for finding in new.values()]
    return write_text(path, "\n".join([_HEAD, *blocks]))


def _naming(finding: Finding) -> Acceptance:
    """Return the entry of a finding, by its fingerprint where TOML cannot hold its subject."""
    try:
        finding.subject.encode("utf-8")
    except UnicodeEncodeError:
        return Acceptance("", rule=finding.rule, fingerprint=finding.fingerprint)
    return Acceptance("", finding.rule, finding.subject)


def _table(entry: Acceptance, message: str) -> str:
    """Return one entry as TOML, the finding's message above it as a comment."""
    lines = [f"# {_escaped(message)}"] if message else []
    lines.append("[[accepted]]")
    values = (("rule", entry.rule), ("subject", entry.subject), ("fingerprint", entry.fingerprint))
    lines += [f'{key} = "{_escaped(value)}"' for key, value in values if value is not None]
    lines.append(f'reason = "{_escaped(entry.reason)}"')
    if entry.expires is not None:
        lines.append(f"expires = {entry.expires.isoformat()}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    r"""Return text between quotation marks of TOML; what cannot be seen is written as its code point.

    >>> _escaped('"\n\u202e\\ é')
    '\\"\\u000A\\u202E\\\\ é'
    """
    return "".join(
        f"\\{char}" if char in '"\\' else char if char.isprintable() else _code_point(char) for char in text
    )


def _code_point(char: str) -> str:
    return f"\\u{ord(char):04X}" if ord(char) < 0x10000 else f"\\U{ord(char):08X}"
