"""How an audit says what it found."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.schema.audit_rules import RULES
from forensics.schema.finding import Evidence, Finding, Level

__all__ = ["found", "listed"]

#: Ids or pieces spelt out in a message; tables hold all of them.
LISTED = 100


def found(
    rule: str,
    subject: str,
    message: str,
    *,
    level: Level | None = None,
    token_id: int | None = None,
    piece: str | None = None,
    evidence: Evidence | None = None,
    file: str | None = None,
    line: int | None = None,
) -> Finding:
    """Return a finding of a rule, at the rule's own level unless another is given; see `Finding`."""
    return RULES[rule].found(
        message,
        subject,
        level=level,
        token_id=token_id,
        piece=piece,
        evidence=evidence,
        file=file,
        line=line,
    )


def listed(items: Iterable[object], most: int = LISTED) -> str:
    """Return items as text, the first hundred and how many more there are.

    >>> listed([3, 5, 8], most=2)
    '3, 5, and 1 more'
    """
    every = [str(item) for item in items]
    more = len(every) - most
    return ", ".join(every[:most]) + (f", and {more:,} more" if more > 0 else "")
