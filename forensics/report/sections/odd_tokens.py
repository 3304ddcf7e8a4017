"""Tokens that are no ordinary text: single bytes, parts of characters, and the unreachable."""

from __future__ import annotations

from forensics.report.blocks import Block, Number, Row, Section, Table, Tokens
from forensics.report.results import Results
from forensics.report.sections.common import byte_string, text, token_table, verdict_columns
from forensics.report.visible import token_text

__all__ = ["byte_tokens", "partial_utf8", "unreachable"]

_ROLES = {
    "ascii": "ASCII",
    "lead": "leads a UTF-8 character",
    "continuation": "continues a UTF-8 character",
    "never_valid": "never valid in UTF-8 (C0, C1, F5 to FF)",
}


def byte_tokens(results: Results) -> Section | None:
    """Return the single-byte tokens, those that can never occur beside those that can."""
    chosen = results.where("is_byte", True) | results.where("byte_role", *_ROLES)
    if not chosen.any():
        return None
    blocks: list[Block] = []
    if results.has("byte_role"):
        blocks.append(_by_role(results))
    blocks.append(
        token_table(
            results,
            chosen,
            "byte-tokens",
            "Tokens of exactly one byte. Bytes that no UTF-8 text contains cannot have been trained; "
            "they show "
            "what untrained looks like in this model.",
            [
                ("byte", byte_string),
                ("role", lambda row: _ROLES.get(text(row.get("byte_role")) or "")),
                *verdict_columns(results),
            ],
            ("rank", "bytes"),
        )
    )
    return Section("bytes", "Byte tokens", tuple(blocks))


def _by_role(results: Results) -> Table:
    """Return how the kinds of bytes compare: the median indicator and how many are verified."""
    tested = results.get("verification.tested")
    indicator = results.indicator
    rows = []
    for role, meaning in _ROLES.items():
        chosen = results.where("byte_role", role)
        if not chosen.any():
            continue
        cells = [Number(int(chosen.sum()))]
        if indicator is not None:
            middle = results.tokens.loc[chosen, indicator].median()
            cells.append(Number(None if middle != middle else float(middle)))
        if tested:
            cells.append(Number(int((chosen & results.tested).sum())))
            cells.append(Number(int((chosen & results.tested & results.verified).sum())))
        rows.append(Row((meaning, *cells)))
    heads = (
        "bytes",
        "tokens",
        *((f"median {indicator}",) if indicator else ()),
        *(("tested", "verified") if tested else ()),
    )
    return Table("byte-roles", "Kinds of bytes.", heads, tuple(rows), len(rows))


def partial_utf8(results: Results) -> Section | None:
    """Return tokens of two or more bytes that are no valid UTF-8 by themselves."""
    chosen = results.where("category", "undecodable") & ~results.where("is_byte", True)
    if not chosen.any():
        return None
    table = token_table(
        results,
        chosen,
        "partial-utf8",
        "Two or more bytes that are no text by themselves: parts of characters, which only appear "
        "beside the rest.",
        [("bytes", byte_string), *verdict_columns(results)],
        ("rank", "token_id"),
    )
    return Section("partial-utf8", "Partial UTF-8", (table,))


def unreachable(results: Results) -> Section | None:
    """Return tokens that no text gives, and those that need something on their left."""
    blocks: list[Block] = []
    chosen = results.where("category", "unreachable_single", "unreachable_multi", "unreachable_special")
    chosen &= ~results.where("is_byte", True)  # single bytes have their own table
    if chosen.any():
        blocks.append(
            token_table(
                results,
                chosen,
                "unreachable",
                "Encoding the token's own text never gives the token, alone or after any left context tried.",
                [
                    ("its text gives", lambda row: results.token_list(text(row.get("reencodes_to")))),
                    ("category", lambda row: text(row.get("category"))),
                    *verdict_columns(results),
                ],
                ("rank", "token_id"),
            )
        )
    if results.has("context"):
        needs = results.tokens["context"].notna() & (results.tokens["context"] != "")
        if needs.any():
            shown = int(needs.sum())
            blocks.append(_contexts(results, shown))
    return Section("unreachable", "Unreachable tokens", tuple(blocks)) if blocks else None


def _contexts(results: Results, total: int) -> Table:
    """Return how many tokens are reachable only after some left context."""
    contexts = results.tokens["context"]
    counts = contexts[contexts.notna() & (contexts != "")].value_counts(sort=False).sort_index()
    rows = tuple(
        Row((Tokens((token_text(None, str(context)),)), Number(int(number))))
        for context, number in counts.items()
    )
    return Table(
        "contexts",
        f"{total:,} tokens are reachable, but only with something on their left.",
        ("left context", "tokens"),
        rows,
        len(rows),
    )
