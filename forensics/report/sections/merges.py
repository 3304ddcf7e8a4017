"""What is odd about the merge list: entries nothing makes, merges that can never apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import Code, Number, Row, Section, Table
from forensics.report.results import Results
from forensics.report.visible import plain, shorten, token_text

__all__ = ["merges"]

#: Examples of a kind that are spelt out, and characters of each.
_EXAMPLES, _LONGEST = 6, 60


def merges(results: Results) -> Section | None:
    """Return the oddities of the vocabulary and its merges, by kind."""
    problems = results.get("merges.problems") or []
    if not problems:
        return None
    rows = tuple(
        Row(
            (
                str(problem.get("kind", "")).replace("_", " "),
                str(problem.get("meaning", "")),
                Number(problem.get("count")),
                Code(_examples(problem)),
            )
        )
        for problem in problems
    )
    caption = "Oddities tell how a vocabulary was made; none is a fault by itself."
    table = Table("merge-problems", caption, ("kind", "what it means", "count", "examples"), rows, len(rows))
    return Section("merges", "Vocabulary and merges", (table,))


def _examples(problem: Mapping[str, Any]) -> str:
    """Return the first examples on one line, everything invisible in them made visible."""
    shown = [_one(example) for example in (problem.get("examples") or [])[:_EXAMPLES]]
    more = int(problem.get("count") or 0) - len(shown)
    return ", ".join(shown) + (f", … {more:,} more" if more > 0 else "")


def _one(example: object) -> str:
    """Return one example: a pair as `a + b`, an object as JSON, a word as it is."""
    if isinstance(example, list) and all(isinstance(part, str) for part in example):
        return " + ".join(_one(part) for part in example)
    words = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    return shorten(plain(token_text(None, words)).replace("␣", " "), _LONGEST)
