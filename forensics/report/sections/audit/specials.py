"""Special tokens: who declares them, and what their text gives."""

from __future__ import annotations

from forensics.report.blocks import Badge, Block, Cell, Code, Number, Section
from forensics.report.declared import MOST_ROWS, table
from forensics.report.results import Results
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.tokenizer import RoleClaim

__all__ = ["specials"]


def specials(results: Results[AuditSummary]) -> Section | None:
    """Return the special tokens, and which id each file names for a role."""
    entries, claims = results.summary.specials, results.summary.role_agreement
    blocks: list[Block] = []
    if entries:
        blocks.append(
            table(
                "special-tokens",
                "Special tokens: who declares them, and whether their text gives one id.",
                entries[:MOST_ROWS],
                ("id", lambda entry: Number(entry.token_id, grouped=False)),
                ("token", lambda entry: Code(entry.piece)),
                ("role", lambda entry: ", ".join(entry.roles) or None),
                ("declared in", lambda entry: ", ".join(entry.declared_in) or None),
                ("its text gives", lambda entry: _gives(entry.single)),
                ("reserved", lambda entry: entry.reserved),
                total=len(entries),
                where_rest="summary.json",
            )
        )
    if claims:
        files = sorted({file for named in claims.values() for file in named if file != "agree"})
        blocks.append(
            table(
                "role-agreement",
                "Which id each file names for a role.",
                claims.items(),
                ("role", lambda role: role[0]),
                *((file, lambda role, file=file: _named(role[1], file)) for file in files),
                ("files", lambda role: _agree(role[1])),
            )
        )
    return Section("special", "Special tokens", tuple(blocks)) if blocks else None


def _gives(single: bool) -> Badge:
    return Badge("one id", "good") if single else Badge("split", "warn")


def _named(claims: RoleClaim, file: str) -> str | None:
    return None if file not in claims else str(claims[file])


def _agree(claims: RoleClaim) -> Cell:
    return Badge("agree", "good") if claims["agree"] else Badge("differ", "bad")
