"""Special, reserved and control tokens, and whether the files agree about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import Badge, Block, Cell, Number, Paragraph, Row, Section, Table, Tokens
from forensics.report.results import Results
from forensics.report.sections.common import MOST_ROWS, VERDICT_TONES, text, token_table, verdict_columns
from forensics.report.visible import token_text

__all__ = ["special"]

#: What a verdict says about a special token.
_TRAINED = {
    "verified_strong": "not trained",
    "verified_weak": "hardly trained",
    "inconclusive": "unclear",
    "rejected": "trained",
    "not_encodable": "not tested",
}


def special(results: Results) -> Section | None:
    """Return declared special tokens, the roles that files give them, and the reserved entries."""
    blocks: list[Block] = []
    entries = results.get("special_tokens") or []
    if entries:
        blocks.append(_declared(results, entries))
    agreement = results.get("role_agreement") or {}
    if agreement:
        blocks += _agreement(results, agreement)
    reserved = (
        results.tokens["reserved"].notna() if results.has("reserved") else results.where("reserved", "")
    )
    if reserved.any():
        blocks.append(
            token_table(
                results,
                reserved,
                "reserved-tokens",
                "Entries that the files themselves declare unused, reserved or control.",
                [("declared", lambda row: text(row.get("reserved"))), *verdict_columns(results)],
            )
        )
    return Section("special", "Special, reserved and control tokens", tuple(blocks)) if blocks else None


def _declared(results: Results, entries: list[Mapping[str, Any]]) -> Table:
    """Return the special tokens: where declared, one id or split, trained or not."""
    rows = []
    for entry in entries[:MOST_ROWS]:
        token_id = int(entry["token_id"])
        shown = results.token(token_id)
        if not shown.segments or shown.segments[0].shown.startswith("#"):
            shown = token_text(token_id, entry.get("piece"))
        single = entry.get("single")
        rows.append(
            Row(
                (
                    Number(token_id, grouped=False),
                    Tokens((shown,)),
                    _joined(entry.get("roles")),
                    _joined(entry.get("declared_in")),
                    None if single is None else Badge("one id", "good") if single else Badge("split", "warn"),
                    None if single in (True, None) else results.token_list(entry.get("encodes_to")),
                    _trained(entry.get("trained")),
                )
            )
        )
    return Table(
        "special-tokens",
        "Special tokens: who declares them, whether their text gives one id, and whether they are trained.",
        ("id", "token", "role", "declared in", "its text gives", "split into", "trained"),
        tuple(rows),
        len(entries),
        "summary.json",
    )


def _joined(value: Any) -> str | None:
    """Return a word or several as one cell."""
    if not value:
        return None
    return value if isinstance(value, str) else ", ".join(str(part) for part in value)


def _trained(value: Any) -> Cell:
    """Return the verdict on a special token in the reader's words."""
    if value is None:
        return None
    if isinstance(value, bool):
        return Badge("trained", "good") if value else Badge("not trained", "bad")
    shown = _TRAINED.get(str(value), str(value).replace("_", " "))
    return Badge(shown, VERDICT_TONES.get(str(value), "plain"))


def _agreement(results: Results, agreement: Mapping[str, Mapping[str, Any]]) -> list[Block]:
    """Return which id each file gives to each role, and a warning where they differ."""
    files = sorted({file for claims in agreement.values() for file in claims if file != "agree"})
    rows, disagreeing = [], []
    for role, claims in agreement.items():
        agree = bool(claims.get("agree", len({claims[file] for file in files if file in claims}) <= 1))
        if not agree:
            disagreeing.append(role)
        cells: list[Cell] = []
        for file in files:
            claim = claims.get(file)
            cells.append(
                None if claim is None else results.token_list(claim if isinstance(claim, list) else [claim])
            )
        rows.append(Row((role, *cells, Badge("agree", "good") if agree else Badge("differ", "bad"))))
    blocks: list[Block] = [
        Table(
            "role-agreement",
            "Which token each file names for a role.",
            ("role", *files, "files"),
            tuple(rows),
            len(rows),
        )
    ]
    if disagreeing:
        blocks.append(
            Paragraph(
                f"The files disagree about {', '.join(disagreeing)}: what ends or pads a text depends "
                "on which file "
                "the running code believes.",
                "warn",
            )
        )
    return blocks
