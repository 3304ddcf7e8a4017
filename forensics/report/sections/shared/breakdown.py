"""Where in the vocabulary the findings lie: by category and by script."""

from __future__ import annotations

from typing import Any

from forensics.report.blocks import Section, Table
from forensics.report.declared import count, field, share, table
from forensics.report.results import Results
from forensics.schema.words import Category

__all__ = ["breakdown"]

_MEANINGS = {str(category): category.meaning for category in Category}


def breakdown(results: Results[Any]) -> Section | None:
    """Return how many tokens, candidates and verified tokens each category and script has."""
    captions = {
        "category": "Categories of the round trip: decode, encode again, compare.",
        "script": "Scripts of the tokens' text.",
    }
    tables = tuple(
        _table(results, column, caption) for column, caption in captions.items() if results.has(column)
    )
    return Section("breakdown", "By category and script", tables) if tables else None


def _table(results: Results[Any], column: str, caption: str) -> Table:
    """Return counts by one column, the largest group first."""
    import pandas as pd

    is_prompted = bool(results.tested.any())
    marks = {"tokens": pd.Series(data=True, index=results.tokens.index)}
    if results.has("is_candidate"):
        marks["candidates"] = results.where("is_candidate", True)
    if is_prompted:
        marks |= {"tested": results.tested, "verified": results.verified & results.tested}
    groups = results.tokens[column].fillna("").astype(str).rename("group")
    sums = pd.DataFrame(marks).astype(int).groupby(groups, sort=True).sum()
    sums = sums.sort_values("tokens", ascending=False, kind="stable").reset_index()
    return table(
        f"by-{column}",
        caption,
        sums.to_dict("records"),
        (column, lambda row: row["group"] or "–"),
        ("meaning", lambda row: _MEANINGS.get(row["group"], "")) if column == "category" else None,
        *(field(name, count) for name in marks),
        ("verified of tested", lambda row: share(row["verified"], row["tested"])) if is_prompted else None,
    )
