"""What is odd about the merge list: entries nothing makes, merges that can never apply."""

from __future__ import annotations

import json

from forensics.report.blocks import Code, Number, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.report.visible import plain, shorten, token_text
from forensics.report.wording import spaced
from forensics.schema.tokenizer import MergeProblemEntry
from forensics.schema.tokens import TokensSummary

__all__ = ["merges"]

#: Examples of a kind that are spelt out, and characters of each.
_EXAMPLES, _LONGEST = 6, 60


def merges(results: Results[TokensSummary]) -> Section | None:
    """Return the oddities of the vocabulary and its merges, by kind."""
    problems = results.summary.merges.problems
    if not problems:
        return None
    shown = table(
        "merge-problems",
        "Oddities tell how a vocabulary was made; none is a fault by itself.",
        problems,
        ("kind", lambda problem: spaced(problem.kind)),
        ("what it means", lambda problem: problem.meaning),
        ("count", lambda problem: Number(problem.count)),
        ("examples", lambda problem: Code(_examples(problem))),
    )
    return Section("merges", "Vocabulary and merges", (shown,))


def _examples(problem: MergeProblemEntry) -> str:
    """Return the first examples on one line, everything invisible in them made visible."""
    shown = [_one(example) for example in problem.examples[:_EXAMPLES]]
    more = problem.count - len(shown)
    return ", ".join(shown) + (f", … {more:,} more" if more > 0 else "")


def _one(example: object) -> str:
    """Return one example: a pair as `a + b`, an object as JSON, a word as it is."""
    if isinstance(example, list | tuple) and all(isinstance(part, str) for part in example):
        return " + ".join(_one(part) for part in example)
    words = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    return shorten(plain(token_text(None, words)).replace("␣", " "), _LONGEST)
