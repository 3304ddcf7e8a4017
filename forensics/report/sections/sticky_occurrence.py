"""How often the tokens of a `sticky` run occur in the user's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import Block, Number, Paragraph, Row, Section, Table, Tokens
from forensics.report.results import Results
from forensics.report.sections.common import number
from forensics.report.visible import token_text

__all__ = ["occurrence"]

#: Tokens listed, and categories named beside each.
_MOST_ROWS, _CATEGORIES = 500, 3
_PREFIX = "per_million:"


def occurrence(results: Results) -> Section | None:
    """Return how often sticky tokens occur, by category and token by token; None without `--corpora`."""
    corpora = results.get("corpora")
    if not corpora:
        return None
    blocks: list[Block] = [Paragraph(_text(corpora))]
    verdict = "sticky_occurring" in corpora
    if verdict:
        holding = [each for each in corpora["categories"] if each["sticky_per_million"]]
        categories = sorted(holding, key=lambda each: (-each["sticky_per_million"], each["name"]))
        rows = tuple(
            Row((each["name"], Number(each["tokens"]), Number(each["sticky_per_million"], 1)))
            for each in categories
        )
        heads = ("category", "tokens", "sticky per million")
        if rows:
            blocks.append(
                Table("categories", "Categories of text that hold sticky tokens.", heads, rows, len(rows))
            )
    if not verdict or corpora["sticky_occurring"]:
        blocks.append(_tokens(results, verdict))
    return Section("occurrence", "How often they occur", tuple(blocks))


def _text(corpora: Mapping[str, Any]) -> str:
    size = f"{corpora['tokens']:,} tokens of text in {len(corpora['categories'])} categories"
    if "sticky_occurring" not in corpora:
        return f"Counted with the model's own tokenizer in {size}."
    if not corpora["sticky_occurring"]:
        return f"In {size}, counted with the model's own tokenizer, none of the sticky tokens occurs."
    return (
        f"In {size}, counted with the model's own tokenizer, {corpora['sticky_occurring']:,} of the sticky "
        f"tokens occur; together they are {corpora['sticky_per_million']:,.1f} of every million tokens. A "
        "token that never occurs here may still come from a user's keyboard."
    )


def _tokens(results: Results, verdict: bool) -> Table:
    """Return the sticky (or the measured) tokens that occur, the most frequent first."""
    tokens = results.tokens
    chosen = results.where("sticky", True) if verdict else tokens["validation"].notna()
    rows = tokens[chosen & (tokens["occurrences"] > 0)]
    rows = rows.sort_values(["occurrences", "token_id"], ascending=[False, True])
    names = [name for name in tokens.columns if name.startswith(_PREFIX)]
    body = tuple(_row(record, names) for record in rows.head(_MOST_ROWS).to_dict("records"))
    kind = "Sticky" if verdict else "Validated"
    return Table(
        "occurrences",
        f"{kind} tokens that occur, per million tokens, and where they are most frequent.",
        ("id", "token", "occurrences", "per million", "most frequent in"),
        body,
        len(rows),
    )


def _row(record: Mapping[Any, Any], names: list[str]) -> Row:
    token_id = int(record["token_id"])
    most = sorted((name for name in names if record[name] > 0), key=lambda name: (-record[name], name))
    where = ", ".join(f"{name.removeprefix(_PREFIX)} {record[name]:,.1f}" for name in most[:_CATEGORIES])
    return Row(
        (
            Number(token_id, grouped=False),
            Tokens((token_text(token_id, record["piece"]),)),
            Number(int(record["occurrences"])),
            number(record["per_million"], 2),
            where,
        )
    )
