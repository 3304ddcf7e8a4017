"""A finding: a thing that a command found wrong, the same for terminal, notebook, report, gate and SARIF."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Evidence", "Finding", "Level", "Rule", "sorted_findings"]

#: What a finding rests on: names with plain values.
Evidence = Mapping[str, "str | int | float | bool | None"]


class Level(StrEnum):
    """How bad a finding is; the order is that of the words `error`, `warning`, `note`."""

    #: Something is broken: output is wrong, or a token is unknown to the model.
    ERROR = "error"
    #: Something is likely to hurt somebody.
    WARNING = "warning"
    #: Something a reader should know.
    NOTE = "note"

    @property
    def severity(self) -> int:
        """2 for errors, 1 for warnings, 0 for notes."""
        return {Level.ERROR: 2, Level.WARNING: 1, Level.NOTE: 0}[self]


@dataclass(frozen=True)
class Finding:
    """One thing that was found wrong."""

    #: Id of its `Rule`.
    rule: str
    level: Level
    #: What was found, with the numbers, in one sentence that stands by itself.
    message: str
    #: What it is about, stable between runs: a token's piece, a role, a file's name.
    subject: str
    #: The token, where it is about one.
    token_id: int | None = None
    piece: str | None = None
    evidence: Evidence = field(default_factory=dict)
    #: The file of the model and the line in it, where the analysis knows them; no part of the fingerprint.
    file: str | None = None
    line: int | None = None

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of rule and subject: the same finding in another run has the same."""
        return hashlib.sha256(f"{self.rule}\0{self.subject}".encode("utf-8", "surrogatepass")).hexdigest()[
            :16
        ]


@dataclass(frozen=True)
class Rule:
    """A kind of finding."""

    #: Lower case with hyphens, unique over all commands, e.g. `unknown-token`; never changed once released.
    id: str
    #: The level of its findings, unless one of them says otherwise.
    level: Level
    #: What is wrong, in a short sentence.
    meaning: str
    #: What to do about it.
    remedy: str
    #: Keys of the model's JSON files that it is about; `{subject}` stands for the finding's.
    where: tuple[str, ...] = ()

    def found(
        self,
        message: str,
        subject: str,
        *,
        level: Level | None = None,
        token_id: int | None = None,
        piece: str | None = None,
        evidence: Evidence | None = None,
        file: str | None = None,
        line: int | None = None,
    ) -> Finding:
        """Return a finding of this rule, of its level unless another is given; see `Finding`."""
        given = level or self.level
        return Finding(self.id, given, message, subject, token_id, piece, evidence or {}, file, line)


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings the worst first, then by rule; those of one rule keep their order."""
    return tuple(sorted(findings, key=lambda each: (-each.level.severity, each.rule)))
