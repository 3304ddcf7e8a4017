"""The gate: `--fail-on 'verified>100'` reads a number of the summary and compares it; no eval."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.errors import BadInputError

__all__ = ["KEYS", "Condition", "parse_condition"]

_CATEGORIES = (
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

#: What a condition can ask for -> where it stands in summary.json.
KEYS: dict[str, tuple[str, ...]] = {
    **{
        name: ("verification", name)
        for name in ("verified", "strong", "weak", "inconclusive", "rejected", "tested", "estimate_total")
    },
    "candidates": ("indicator", "n_candidates"),
    "below_threshold": ("indicator", "data_driven", "n_below"),
    **{name: ("counts", name) for name in _CATEGORIES},
    "sticky": ("sticky",),
    "shortlisted": ("shortlisted",),
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

    #: A key of `KEYS`.
    key: str
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
        for part in KEYS[self.key]:
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


def parse_condition(text: str) -> Condition:
    """Return the condition that `text` spells.

    >>> parse_condition("verified > 100")
    Condition(key='verified', sign='>', limit=100.0)

    :raises BadInputError: If it has another form, or names a number that no summary has.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadInputError(
            "--fail-on",
            f"found {text[:60]!r}",
            "write a name, one of > >= < <= ==, and a number: 'verified>100'",
        )
    key, sign, limit = found.groups()
    if key not in KEYS:
        raise BadInputError("--fail-on", f"there is no number {key!r}", f"choose from {', '.join(KEYS)}")
    return Condition(key, sign, float(limit))
