"""The gate: `--fail-on 'verified>100'` reads a number of the summary and compares it; no eval."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.errors import BadInputError

__all__ = ["NUMBERS", "Condition", "parse_condition"]

_COUNTS: dict[str, tuple[str, ...]] = {
    name: ("counts", name)
    for name in (
        "ok",
        "ok_special",
        "unreachable_special",
        "undecodable",
        "unreachable_single",
        "unreachable_multi",
        "unused_row",
        "single_byte",
        "partial_utf8",
        "unreachable",
        "special",
    )
}
_VERIFICATION: dict[str, tuple[str, ...]] = {
    name: ("verification", name)
    for name in ("verified", "strong", "weak", "inconclusive", "rejected", "tested", "estimate_total")
}

#: Command -> what a condition can ask for -> where that stands in its summary.json.
NUMBERS: dict[str, dict[str, tuple[str, ...]]] = {
    "scan": {
        **_VERIFICATION,
        "candidates": ("indicator", "n_candidates"),
        "below_threshold": ("indicator", "data_driven", "n_below"),
        **_COUNTS,
    },
    "tokens": _COUNTS,
    "sticky": {"sticky": ("sticky",), "shortlisted": ("shortlisted",)},
}

# Longer signs first, so that `>=` is not read as `>`.
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(\w+)\s*(>=|<=|==|>|<)\s*(\d[\d_]*(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class Condition:
    """One comparison of a summary's number with a limit."""

    #: What it asks for.
    key: str
    #: Where that stands in the summary.
    where: tuple[str, ...]
    #: One of ``> >= < <= ==``.
    sign: str
    limit: float

    def __str__(self) -> str:
        """The condition as the user would write it."""
        return f"{self.key}{self.sign}{self.limit:g}"

    def value(self, summary: Mapping[str, Any]) -> float:
        """Return the number in question.

        :raises BadInputError: If the run did not establish it: a gate must not pass for want of a number.
        """
        found: Any = summary
        for part in self.where:
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, (int, float)) and not isinstance(found, bool) and found == found:
            return found
        verification = summary.get("verification")
        why = verification.get("skipped") if isinstance(verification, Mapping) else None
        because = f"this run has no number {self.key!r}" + (f" ({why})" if why else "")
        raise BadInputError(f"--fail-on {self}", because, "use a number that the run establishes")

    def is_met(self, summary: Mapping[str, Any]) -> bool:
        """Whether the condition holds, so that the command shall fail."""
        return _OPERATORS[self.sign](self.value(summary), self.limit)


def parse_condition(text: str, command: str) -> Condition:
    """Return the condition that `text` spells.

    >>> parse_condition("sticky > 0", "sticky")
    Condition(key='sticky', where=('sticky',), sign='>', limit=0.0)

    :param command: Whose summary is asked, a key of `NUMBERS`.
    :raises BadInputError: If it has another form, or names a number that the command does not establish.
    """
    numbers = NUMBERS[command]
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadInputError(
            "--fail-on",
            f"found {text[:60]!r}",
            f"write a name, one of > >= < <= ==, and a number: '{next(iter(numbers))}>100'",
        )
    key, sign, limit = found.groups()
    if key not in numbers:
        raise BadInputError("--fail-on", f"there is no number {key!r}", f"choose from {', '.join(numbers)}")
    return Condition(key, numbers[key], sign, float(limit))
