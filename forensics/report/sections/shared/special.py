"""Special, reserved and control tokens, and whether the files agree about them."""

from __future__ import annotations

from forensics.report.blocks import Badge, Block, Cell, Number, Paragraph, Section, Table, Tokens
from forensics.report.declared import (
    MOST_ROWS,
    field,
    table,
    text,
    token_table,
    verdict_badge,
    verdict_columns,
)
from forensics.report.results import Results
from forensics.schema.scan import ScanSummary
from forensics.schema.tokenizer import RoleClaim, SpecialTokenEntry
from forensics.schema.tokens import TokensSummary
from forensics.schema.words import Verdict

__all__ = ["disagreeing_roles", "special"]

#: What a verdict says about a special token.
_TRAINED = {
    Verdict.VERIFIED_STRONG: "not trained",
    Verdict.VERIFIED_WEAK: "hardly trained",
    Verdict.INCONCLUSIVE: "unclear",
    Verdict.REJECTED: "trained",
    Verdict.NOT_ENCODABLE: "not tested",
}

Vocabularied = Results[ScanSummary | TokensSummary]


def special(results: Vocabularied) -> Section | None:
    """Return declared special tokens, the roles that files give them, and the reserved entries."""
    summary = results.summary
    blocks: list[Block] = [_declared(results)] if summary.special_tokens else []
    blocks += _agreement(results) if summary.role_agreement else []
    reserved = results.known("reserved")
    if reserved.any():
        caption = "Entries that the files themselves declare unused, reserved or control."
        columns = (field("reserved", text, "declared"), *verdict_columns(results))
        blocks.append(
            token_table(results, reserved, "reserved-tokens", caption, *columns, order=("token_id",))
        )
    return Section("special", "Special, reserved and control tokens", tuple(blocks)) if blocks else None


def _declared(results: Vocabularied) -> Table:
    """Return the special tokens: where declared, one id or split, trained or not."""
    entries = results.summary.special_tokens
    return table(
        "special-tokens",
        "Special tokens: who declares them, whether their text gives one id, and whether they are trained.",
        entries[:MOST_ROWS],
        ("id", lambda entry: Number(entry.token_id, grouped=False)),
        ("token", lambda entry: Tokens((results.token(entry.token_id, entry.piece),))),
        ("role", lambda entry: ", ".join(entry.roles) or None),
        ("declared in", lambda entry: ", ".join(entry.declared_in) or None),
        ("its text gives", lambda entry: Badge("one id", "good") if entry.single else Badge("split", "warn")),
        ("split into", lambda entry: None if entry.single else results.token_list(entry.encodes_to)),
        ("trained", _trained),
        total=len(entries),
        where_rest="summary.json",
    )


def _trained(entry: SpecialTokenEntry) -> Cell:
    """Return the verdict on a special token in the reader's words."""
    return None if entry.trained is None else verdict_badge(entry.trained, _TRAINED[Verdict(entry.trained)])


def disagreeing_roles(summary: ScanSummary | TokensSummary) -> list[str]:
    """Return the roles about which the files disagree."""
    return [role for role, claims in summary.role_agreement.items() if not claims["agree"]]


def _agreement(results: Vocabularied) -> list[Block]:
    """Return which id each file gives to each role, and a warning where they differ."""
    claims = results.summary.role_agreement
    files = sorted({file for named in claims.values() for file in named if file != "agree"})

    def named_by(file: str, role: tuple[str, RoleClaim]) -> Cell:
        ids = role[1].get(file)
        return None if ids is None else results.token_list(ids if isinstance(ids, list | tuple) else [ids])

    shown = table(
        "role-agreement",
        "Which token each file names for a role.",
        claims.items(),
        ("role", lambda role: role[0]),
        *((file, lambda role, file=file: named_by(file, role)) for file in files),
        ("files", lambda role: Badge("agree", "good") if role[1]["agree"] else Badge("differ", "bad")),
    )
    if not (differing := disagreeing_roles(results.summary)):
        return [shown]
    warning = (
        f"The files disagree about {', '.join(differing)}: what ends or pads a text depends on which file "
        "the running code believes."
    )
    return [shown, Paragraph(warning, "warn")]
