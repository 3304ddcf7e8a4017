"""What the published procedure found (`sticky --method std`)."""

from __future__ import annotations

from functools import partial

from forensics.report.blocks import Badge, Facts, FigureBlock, Section
from forensics.report.declared import ID, count, field, number, records, table
from forensics.report.results import Results
from forensics.report.sections.sticky.contraction import PIECE
from forensics.schema.sticky import StickySummary

__all__ = ["published"]

#: Rows of the table.
_MOST_ROWS = 2_000


def published(results: Results[StickySummary]) -> Section | None:
    """Return scores and validation values; None for the other method."""
    summary = results.summary
    if summary.method != "std":
        return None
    rows = results.tokens[results.known("validation")]
    has_verdict = results.has("sticky")
    shown = table(
        "validated",
        "Validated tokens, the highest score first.",
        records(rows, ["rank"], _MOST_ROWS),
        field("rank", count),
        ID,
        PIECE,
        field("sticky_score", partial(number, digits=5)),
        field("validation"),
        (
            "verdict",
            lambda row: (Badge("sticky", "bad") if row["sticky"] else Badge("no")) if has_verdict else None,
        ),
        total=len(rows),
    )
    facts = Facts(
        (
            ("least score of the shortlist", number(summary.score_threshold, 5)),
            ("fence of the validation values", number(summary.validation_fence)),
            ("Spearman of score and validation", number(summary.score_validation_spearman, 2)),
        )
    )
    figure = FigureBlock("published", "Score and validation.")
    return Section("published", "The published procedure", (facts, figure, shown))
