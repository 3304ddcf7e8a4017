"""How often the tokens of a `sticky` run occur in the user's text."""

from __future__ import annotations

from functools import partial

from forensics.report.blocks import Block, Number, Paragraph, Section, Table
from forensics.report.declared import ID, count, field, number, table
from forensics.report.results import Record, Results
from forensics.report.sections.sticky.contraction import PIECE
from forensics.schema.sticky import STICKY_TABLE, CorporaSummary, StickySummary

__all__ = ["occurrence"]

#: Tokens listed, and categories named beside each.
_MOST_ROWS, _CATEGORIES = 500, 3
_PREFIX = STICKY_TABLE.by_category


def occurrence(results: Results[StickySummary]) -> Section | None:
    """Return how often sticky tokens occur, by category and token by token; None without any text."""
    corpora = results.summary.corpora
    if corpora is None:
        return None
    blocks: list[Block] = [Paragraph(_text(corpora))]
    holding = [(each, rate) for each in corpora.categories if (rate := each.sticky_per_million)]
    if holding:
        holding.sort(key=lambda each: (-each[1], each[0].name))
        blocks.append(
            table(
                "categories",
                "Categories of text that hold sticky tokens.",
                holding,
                ("category", lambda each: each[0].name),
                ("tokens", lambda each: Number(each[0].tokens)),
                ("sticky per million", lambda each: Number(each[1], 1)),
            )
        )
    if corpora.sticky_occurring != 0:
        blocks.append(_tokens(results, has_verdict=corpora.sticky_occurring is not None))
    return Section("occurrence", "How often they occur", tuple(blocks))


def _text(corpora: CorporaSummary) -> str:
    size = f"{corpora.tokens:,} tokens of text in {len(corpora.categories)} categories"
    if corpora.sticky_occurring is None:
        return f"Counted with the model's own tokenizer in {size}."
    if not corpora.sticky_occurring:
        return f"In {size}, counted with the model's own tokenizer, none of the sticky tokens occurs."
    return (
        f"In {size}, counted with the model's own tokenizer, {corpora.sticky_occurring:,} of the sticky "
        f"tokens occur; together they are {corpora.sticky_per_million:,.1f} of every million tokens. A "
        "token that never occurs here may still come from a user's keyboard."
    )


def _tokens(results: Results[StickySummary], *, has_verdict: bool) -> Table:
    """Return the sticky (or the measured) tokens that occur, the most frequent first."""
    tokens = results.tokens
    chosen = results.where("sticky", True) if has_verdict else results.known("validation")
    rows = tokens[chosen & (tokens["occurrences"] > 0)]
    rows = rows.sort_values(["occurrences", "token_id"], ascending=[False, True])
    return table(
        "occurrences",
        f"{'Sticky' if has_verdict else 'Validated'} tokens that occur, per million tokens, and where they "
        "are most frequent.",
        rows.head(_MOST_ROWS).to_dict("records"),
        ID,
        PIECE,
        field("occurrences", count),
        field("per_million", partial(number, digits=2), "per million"),
        ("most frequent in", _where),
        total=len(rows),
    )


def _where(row: Record) -> str:
    """Return the categories in which a token is most frequent."""
    most = sorted((-value, name) for name, value in row.items() if name.startswith(_PREFIX) and value > 0)
    return ", ".join(f"{name.removeprefix(_PREFIX)} {-value:,.1f}" for value, name in most[:_CATEGORIES])
