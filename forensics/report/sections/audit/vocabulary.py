"""What the vocabulary is made of: kinds by script, and the longest pieces of each script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from forensics.report.blocks import Facts, FigureBlock, Number, Section, Table, Tokens
from forensics.report.declared import Column, table
from forensics.report.results import Results, row_token
from forensics.schema.audit_summary import AuditSummary

__all__ = ["vocabulary"]

#: Scripts with a row of their own, and pieces shown of each script.
_SCRIPTS, _PIECES = 24, 6


def vocabulary(results: Results[AuditSummary]) -> Section:
    """Return counts by kind and script, and the longest pieces."""
    made = results.summary.vocabulary
    scripts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    cells: dict[str, dict[str, int]] = {}
    for entry in made.kinds:
        scripts[entry.script] += entry.count
        kinds[entry.kind] += entry.count
        cells.setdefault(entry.script, {})[entry.kind] = entry.count
    columns: list[Column[str]] = [
        (kind, lambda script, kind=kind: Number(cells[script].get(kind)))  # type: ignore[misc]
        for kind, _ in kinds.most_common()
    ]
    shown = [script for script, _ in scripts.most_common(_SCRIPTS)]
    by_kind = table(
        "kinds",
        "Ids by script and kind; `partial` and `byte` are no text by themselves.",
        shown,
        ("script", lambda script: script or "(no text)"),
        ("all", lambda script: Number(scripts[script])),
        *columns,
        total=len(scripts),
        where_rest="vocabulary.parquet",
    )
    facts = (
        ("Han pieces above two characters", f"{made.han_long:,} of {made.han:,}"),
        ("pieces above 64 characters", f"{made.very_long:,}"),
        ("ids without a piece", f"{made.gaps:,}"),
    )
    blocks = (FigureBlock("scripts", "Ids by script."), Facts(facts), by_kind, _longest(results))
    return Section("vocabulary", "Vocabulary", blocks)


def _longest(results: Results[AuditSummary]) -> Table:
    """Return the longest pieces of each script: what a reader should see of a training text."""
    longest: Mapping[str, tuple[int, ...]] = results.summary.vocabulary.longest
    # Sorted by id and holding every id, so that the id is the position.
    frame = results.tables["vocabulary"]

    def shown(ids: tuple[int, ...]) -> Tokens:
        return Tokens(tuple(row_token(frame.iloc[token_id].to_dict()) for token_id in ids[:_PIECES]))

    return table(
        "longest",
        "The longest ordinary pieces of each script.",
        longest.items(),
        ("script", lambda item: item[0] or "(no text)"),
        ("pieces", lambda item: shown(item[1])),
        where_rest="vocabulary.parquet",
    )
