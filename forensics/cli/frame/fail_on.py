"""The gate: `--fail-on 'verified>100'` compares a number of the run, `--fail-on error` asks for findings.

A number of which there are many is asked for with its key: `--fail-on 'premium:hin_Deva>3'`.

What can be asked for is what a command's `report.kinds.Kind` names; nothing is evaluated. Findings that
somebody accepted do not count.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from forensics.errors import OptionError
from forensics.schema.finding import Finding, Level

if TYPE_CHECKING:
    from forensics.report.kinds.kind import GateNumber, Kind
    from forensics.report.results import Results

__all__ = ["Condition", "FindingCondition", "NumberCondition", "parse_condition"]

# Longer signs first, so that `>=` is not read as `>`.
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(\w+)(?::([^\s<>=:]+))?\s*(>=|<=|==|>|<)\s*([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)\s*")


class Condition(Protocol):
    """Something at which a command shall fail."""

    def is_met(self, results: Results[Any]) -> bool:
        """Whether it holds.

        :raises OptionError: If the run did not establish what it asks for.
        """
        ...

    def reason(self, results: Results[Any]) -> str:
        """Return what was found, for a condition that is met."""
        ...


@dataclass(frozen=True)
class NumberCondition:
    """One comparison of a number of the run with a limit."""

    number: GateNumber[Any]
    #: One of ``> >= < <= ==``.
    sign: str
    limit: float
    #: Why a number may be missing.
    kind: Kind[Any]

    def __str__(self) -> str:
        """The condition as the user would write it."""
        return f"{self.number.name}{self.sign}{self.limit:g}"

    def value(self, results: Results[Any]) -> float:
        """Return the number in question.

        :raises OptionError: If the run did not establish it: a gate must not pass for want of a number.
        """
        found = self.number.value(results)
        if found is not None and found == found:  # NaN is the one value unlike itself
            return found
        why = self.number.why_missing(results) or self.kind.why_missing(results)
        because = f"{self}: this run has no number {self.number.name!r}" + (f" ({why})" if why else "")
        raise OptionError("fail_on", because, "use a number that the run establishes")

    def is_met(self, results: Results[Any]) -> bool:
        """Whether the comparison holds."""
        return _OPERATORS[self.sign](self.value(results), self.limit)

    def reason(self, results: Results[Any]) -> str:
        """Return the number."""
        return f"{self.number.name} is {self.value(results):,.6g}"


@dataclass(frozen=True)
class FindingCondition:
    """Any finding as bad as this, or worse."""

    level: Level
    kind: Kind[Any]

    def __str__(self) -> str:
        """The condition as the user would write it."""
        return self.level.value

    def is_met(self, results: Results[Any]) -> bool:
        """Whether there is one."""
        return bool(self._found(results))

    def reason(self, results: Results[Any]) -> str:
        """Return how many there are, and the worst of them."""
        found = self._found(results)
        worst = f"{found[0].rule}: {found[0].message}"
        # A message may hold a token, and a token anything.
        shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in worst)
        return f"findings of this level or worse: {len(found):,}, the first {shown}"

    def _found(self, results: Results[Any]) -> list[Finding]:
        """Return those that count, the worst first."""
        found = self.kind.counted(results)
        return [finding for finding in found if finding.level.severity >= self.level.severity]


def parse_condition(text: str, command: str) -> NumberCondition | FindingCondition:
    """Return the condition that `text` spells.

    >>> str(parse_condition("sticky > 0", "sticky")), str(parse_condition("warning", "sticky"))
    ('sticky>0', 'warning')

    :param command: Whose run is asked.
    :raises OptionError: If it has another form, or names a number that the command does not establish.
    """
    from forensics.report.kinds import kind_of

    kind = kind_of(command)
    if text.strip() in list(Level):
        return FindingCondition(Level(text.strip()), kind)
    numbers = {number.name: number for number in kind.numbers}
    found = _FORM.fullmatch(text)
    if found is None:
        raise OptionError(
            "fail_on",
            f"found {text[:60]!r}",
            f"write {', '.join(Level)}, or a name, one of > >= < <= ==, and a number: "
            f"'{next(iter(numbers))}>100'",
        )
    name, key, sign, limit = found.groups()
    by_key = {number.name: number for number in kind.numbers_by_key}
    if key is not None and name in by_key:
        return NumberCondition(by_key[name].of(key), sign, float(limit), kind)
    if key is None and name in numbers:
        return NumberCondition(numbers[name], sign, float(limit), kind)
    asked = name if key is None else f"{name}:{key}"
    known = [*numbers, *(f"{each}:KEY" for each in by_key)]
    raise OptionError("fail_on", f"there is no number {asked!r}", f"choose from {', '.join(known)}")
