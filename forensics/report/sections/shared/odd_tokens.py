"""Tokens that are no ordinary text: single bytes, parts of characters, and the unreachable."""

from __future__ import annotations

from typing import Any

from forensics.report.blocks import Block, Number, Section, Table, Tokens
from forensics.report.declared import byte_string, field, number, table, text, token_table, verdict_columns
from forensics.report.results import Results
from forensics.report.visible import token_text
from forensics.schema.words import ByteRole, Category

__all__ = ["byte_tokens", "partial_utf8", "unreachable"]

_MEANINGS = {str(role): role.meaning for role in ByteRole}


def byte_tokens(results: Results[Any]) -> Section | None:
    """Return the single-byte tokens, those that can never occur beside those that can."""
    chosen = results.where("is_byte", True) | results.where("byte_role", *ByteRole)
    if not chosen.any():
        return None
    every = token_table(
        results,
        chosen,
        "byte-tokens",
        "Tokens of exactly one byte. Bytes that no UTF-8 text contains cannot have been trained; they show "
        "what untrained looks like in this model.",
        field("bytes", byte_string, "byte"),
        field("byte_role", lambda role: _MEANINGS.get(text(role) or ""), "role"),
        *verdict_columns(results),
        order=("rank", "bytes"),
    )
    blocks = (_by_role(results), every) if results.has("byte_role") else (every,)
    return Section("bytes", "Byte tokens", blocks)


def _by_role(results: Results[Any]) -> Table:
    """Return how the kinds of bytes compare: the median indicator and how many are verified."""
    tokens, indicator, tested = results.tokens, results.indicator, results.tested
    groups = [(role, chosen) for role in ByteRole if (chosen := results.where("byte_role", role)).any()]
    prompted = {"tested": tested, "verified": tested & results.verified} if tested.any() else {}
    return table(
        "byte-roles",
        "Kinds of bytes.",
        groups,
        ("bytes", lambda group: group[0].meaning),
        ("tokens", lambda group: Number(int(group[1].sum()))),
        (f"median {indicator}", lambda group: number(tokens.loc[group[1], indicator].median()))
        if indicator
        else None,
        *(
            (name, lambda group, mask=mask: Number(int((group[1] & mask).sum())))
            for name, mask in prompted.items()
        ),
    )


def partial_utf8(results: Results[Any]) -> Section | None:
    """Return tokens of two or more bytes that are no valid UTF-8 by themselves."""
    chosen = results.where("category", Category.UNDECODABLE) & ~results.where("is_byte", True)
    if not chosen.any():
        return None
    caption = (
        "Two or more bytes that are no text by themselves: parts of characters, which only appear beside "
        "the rest."
    )
    columns = (field("bytes", byte_string), *verdict_columns(results))
    shown = token_table(results, chosen, "partial-utf8", caption, *columns)
    return Section("partial-utf8", "Partial UTF-8", (shown,))


def unreachable(results: Results[Any]) -> Section | None:
    """Return tokens that no text gives, and those that need something on their left."""
    blocks: list[Block] = []
    kinds = (Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI, Category.UNREACHABLE_SPECIAL)
    # Single bytes have their own table.
    chosen = results.where("category", *kinds) & ~results.where("is_byte", True)
    if chosen.any():
        caption = (
            "Encoding the token's own text never gives the token, alone or after any left context tried."
        )
        gives = field("reencodes_to", lambda ids: results.token_list(text(ids)), "its text gives")
        columns = (gives, field("category", text), *verdict_columns(results))
        blocks.append(token_table(results, chosen, "unreachable", caption, *columns))
    if results.has("context"):
        blocks += _contexts([str(context) for context in results.tokens["context"].dropna() if context])
    return Section("unreachable", "Unreachable tokens", tuple(blocks)) if blocks else None


def _contexts(contexts: list[str]) -> list[Block]:
    """Return how many tokens are reachable only after some left context."""
    if not contexts:
        return []
    columns = (
        ("left context", lambda context: Tokens((token_text(None, context),))),
        ("tokens", lambda context: Number(contexts.count(context))),
    )
    caption = f"{len(contexts):,} tokens are reachable, but only with something on their left."
    return [table("contexts", caption, sorted(set(contexts)), *columns)]
