"""What is wrong with a vocabulary and its special tokens, for commands that look at one."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report.declared import records, text
from forensics.report.results import Results
from forensics.report.sections.shared.special import disagreeing_roles
from forensics.schema.finding import Finding, Level, Rule
from forensics.schema.scan import ScanSummary
from forensics.schema.tokens import TokensSummary
from forensics.schema.words import Category

__all__ = ["ROLES_DIFFER", "UNREACHABLE", "never_produced", "roles_differ"]

ROLES_DIFFER = Rule(
    "role-disagreement",
    Level.WARNING,
    "The files name different tokens for one role.",
    "Correct the file that is wrong: which one is believed depends on the code that runs.",
    ("{subject}_token", "{subject}_token_id"),
)
UNREACHABLE = Rule(
    "unreachable-token",
    Level.NOTE,
    "No text encodes to the token.",
    "Do not rely on it; an id given directly still reaches the model.",
)


def roles_differ(results: Results[ScanSummary | TokensSummary]) -> Iterator[Finding]:
    """Yield a finding per role about which the files disagree."""
    for role in disagreeing_roles(results.summary):
        claims = {file: ids for file, ids in results.summary.role_agreement[role].items() if file != "agree"}
        said = ", ".join(f"{file} says {ids}" for file, ids in claims.items())
        evidence = {file: str(ids) for file, ids in claims.items()}
        yield ROLES_DIFFER.found(f"the files disagree about {role}: {said}", role, evidence=evidence)


def never_produced(results: Results[ScanSummary | TokensSummary]) -> Iterator[Finding]:
    """Yield a finding per ordinary token of two or more bytes that no text gives."""
    kinds = (Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI)
    chosen = results.where("category", *kinds) & ~results.where("is_byte", True)
    for row in records(results.tokens[chosen], ["token_id"], len(results.tokens)):
        token_id, piece, gives = int(row["token_id"]), str(row["piece"]), text(row.get("reencodes_to"))
        said = f"token {token_id} is given by no text" + (f": its own encodes to {gives}" if gives else "")
        evidence = {"category": str(row["category"]), "reencodes_to": gives}
        yield UNREACHABLE.found(said, piece, token_id=token_id, piece=piece, evidence=evidence)
