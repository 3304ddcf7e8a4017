"""Tokens that merges make on the way to others and hardly ever leave standing."""

from __future__ import annotations

from forensics.report.blocks import Facts, FigureBlock, Paragraph, Section
from forensics.report.declared import TOKEN, count, field, number, records, table
from forensics.report.results import Results
from forensics.schema.audit_summary import AuditSummary, ResiduesSummary

__all__ = ["JUDGED", "residues"]

#: Times a token must have been made before it is judged.
JUDGED = 50
_SHOWN = 200


def residues(results: Results[AuditSummary]) -> Section | None:
    """Return how many tokens rarely stay, and those that stay least."""
    found = results.summary.residues
    if found is None:
        return None
    frame = results.tables["vocabulary"]
    judged = frame[(frame["created"].fillna(0) >= JUDGED)]
    rows = records(judged, ("stays", "token_id"), _SHOWN)
    least = table(
        "residues",
        f"Tokens made at least {JUDGED} times that stay least often; R is the share that stays.",
        rows,
        field("token_id", lambda value: str(int(value)), "id"),
        TOKEN,
        field("created", count, "made"),
        field("final", count, "left standing"),
        field("stays", lambda value: number(value, 3), "R"),
        field("vanishes", lambda value: number(value, 3), "IoS"),
        total=len(judged),
        where_rest="vocabulary.parquet",
    )
    caption = "How often a token is made, and the share of times that it stays."
    blocks = (Paragraph(_said(found)), Facts(_counts(found)), FigureBlock("residues", caption), least)
    return Section("residues", "Residues of merging", blocks)


def _said(found: ResiduesSummary) -> str:
    return (
        f"On {found.bytes:,} bytes of text in {found.texts:,} categories ({found.tokens:,} tokens), "
        f"{found.examined:,} tokens are made at least {JUDGED} times. {found.never_created:,} are never "
        f"made; that bounds the rate of each at {found.rate_bound:.2g} per token of such text (95 %) and "
        "does not show that they are unused."
    )


def _counts(found: ResiduesSummary) -> tuple[tuple[str, str], ...]:
    below = ((f"R below {level}", f"{count:,}") for level, count in found.below.items())
    vanishing = ((f"IoS at least {level}", f"{count:,}") for level, count in found.vanishing.items())
    return (("R exactly 0", f"{found.never_stay:,}"), *below, *vanishing)
