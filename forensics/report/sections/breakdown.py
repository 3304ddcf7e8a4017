"""Where in the vocabulary the findings lie: by category and by script."""

from __future__ import annotations

import pandas as pd

from forensics.report.blocks import Number, Row, Section, Table
from forensics.report.results import Results

__all__ = ["breakdown"]

CATEGORIES = {
    "ok": "round trip: its text encodes back to it",
    "ok_special": "special token, matched as one",
    "unreachable_special": "special token that its own text does not give",
    "undecodable": "part of a character: no valid UTF-8 by itself",
    "unreachable_single": "its text encodes to one other token",
    "unreachable_multi": "its text encodes to several other tokens",
    "unused_row": "row past the tokenizer's vocabulary",
}


def breakdown(results: Results) -> Section | None:
    """Return how many tokens, candidates and verified tokens each category and script has."""
    tables = []
    if results.has("category"):
        tables.append(
            _table(results, "category", "Categories of the round trip: decode, encode again, compare.")
        )
    if results.has("script"):
        tables.append(_table(results, "script", "Scripts of the tokens' text."))
    return Section("breakdown", "By category and script", tuple(tables)) if tables else None


def _table(results: Results, column: str, caption: str) -> Table:
    """Return counts by one column, the largest group first."""
    frame = pd.DataFrame({"group": results.tokens[column].fillna("").astype(str)})
    heads = ["tokens"]
    frame["tokens"] = 1
    if results.has("is_candidate"):
        heads.append("candidates")
        frame["candidates"] = results.where("is_candidate", True).to_numpy()
    if results.get("verification.tested"):
        heads += ["tested", "verified"]
        frame["tested"] = results.tested.to_numpy()
        frame["verified"] = (results.verified & results.tested).to_numpy()
    sums = frame.groupby("group", sort=True).sum().sort_values("tokens", ascending=False, kind="stable")
    rows = []
    for group, counts in sums.iterrows():
        cells = [Number(int(counts[head])) for head in heads]
        if "tested" in heads:
            share = int(counts["verified"]) / int(counts["tested"]) if counts["tested"] else None
            cells.append(Number(share, 3, percent=True))
        label = str(group) or "–"
        meaning = (CATEGORIES.get(label, ""),) if column == "category" else ()
        rows.append(Row((label, *meaning, *cells)))
    meaning_head = ("meaning",) if column == "category" else ()
    share_head = ("verified of tested",) if "tested" in heads else ()
    return Table(
        f"by-{column}", caption, (column, *meaning_head, *heads, *share_head), tuple(rows), len(rows)
    )
