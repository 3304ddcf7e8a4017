"""Read the `evidence` column: per prompt what was asked, what came out and how probable the token was.

The column is JSON whose keys are the verifier's own words. This module knows no prompt: it turns any
nesting of objects, lists and numbers into titled groups of labelled lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from forensics.report.visible import shorten

__all__ = ["Details", "evidence_details"]

#: Titled groups of (label, value) lines.
Details = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]

#: Keys whose value names a group, tried in this order.
_NAMES = ("prompt", "name", "kind")
#: Characters of a prompt or a generated text that are shown; the column keeps all of it.
_LONGEST_VALUE = 600


def evidence_details(evidence: str | None) -> Details:
    """Return the groups of one token's evidence; text that is no JSON is shown as it is.

    >>> evidence_details('{"explain": {"max_prob": 0.25, "generated": "a b"}}')
    (('explain', (('max_prob', '0.25'), ('generated', 'a b'))),)
    """
    if not evidence:
        return ()
    try:
        value = json.loads(evidence)
    except ValueError:
        return (("", (("evidence", shorten(evidence, _LONGEST_VALUE)),)),)
    if isinstance(value, Mapping) and isinstance(value.get("prompts"), (Mapping, list)):
        # What stands beside them is in the table's own columns.
        return (*_groups(value.get("probes") or []), *_groups(value["prompts"]))
    return _groups(value)


def _groups(value: object) -> Details:
    """Return one group per member that is an object, and one for all that is not."""
    members: list[tuple[str, object]]
    if isinstance(value, Mapping):
        members = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list):
        members = [(_name(part) or f"{number}", part) for number, part in enumerate(value, 1)]
    else:
        members = [("evidence", value)]
    loose = tuple((key, _line(part)) for key, part in members if not isinstance(part, Mapping))
    groups = tuple(
        (
            key,
            tuple((label, _line(line)) for label, line in part.items() if label not in _NAMES or line != key),
        )
        for key, part in members
        if isinstance(part, Mapping)
    )
    return (*groups, *((("", loose),) if loose else ()))


def _name(part: object) -> str | None:
    """Return what an object of a list calls itself."""
    if isinstance(part, Mapping):
        for key in _NAMES:
            if isinstance(part.get(key), str) and "\n" not in part[key] and len(part[key]) <= 40:
                return str(part[key])
    return None


def _line(value: object) -> str:
    """Return a value on one line; probabilities to four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return shorten(value, _LONGEST_VALUE)
    if isinstance(value, Sequence) and all(isinstance(part, (int, float, str)) for part in value):
        return ", ".join(_line(part) for part in value)
    if value is None:
        return "–"
    return shorten(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)
