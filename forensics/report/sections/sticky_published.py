"""What the published procedure found (`sticky --method std`)."""

from __future__ import annotations

from forensics.report.blocks import Badge, Facts, FigureBlock, Number, Row, Section, Table, Tokens
from forensics.report.results import Results
from forensics.report.sections.common import number
from forensics.report.visible import token_text

__all__ = ["published"]

#: Rows of the table.
_MOST_ROWS = 2_000


def published(results: Results) -> Section | None:
    """Return scores and validation values; None for the other method."""
    if results.get("method") != "std":
        return None
    rows = results.tokens[results.tokens["validation"].notna()].sort_values("rank")
    body = tuple(
        Row(
            (
                Number(int(record["rank"])),
                Number(int(record["token_id"]), grouped=False),
                Tokens((token_text(int(record["token_id"]), record["piece"]),)),
                number(record["sticky_score"], 5),
                number(record["validation"], 4),
                None
                if "sticky" not in record
                else Badge("sticky", "bad")
                if record["sticky"]
                else Badge("no"),
            )
        )
        for record in rows.head(_MOST_ROWS).to_dict("records")
    )
    table = Table(
        "validated", "Validated tokens, the highest score first.",
        ("rank", "id", "token", "sticky_score", "validation", "verdict"), body, len(rows),
    )  # fmt: skip
    facts = Facts(
        (
            ("least score of the shortlist", number(results.get("score_threshold"), 5)),
            ("fence of the validation values", number(results.get("validation_fence"), 4)),
            ("Spearman of score and validation", number(results.get("score_validation_spearman"), 2)),
        )
    )
    return Section(
        "published",
        "The published procedure",
        (facts, FigureBlock("published", "Score and validation."), table),
    )
