"""Findings, and every pair in one line."""

from __future__ import annotations

from collections import Counter

from forensics.report.blocks import Badge, Block, Number, Paragraph, Section
from forensics.report.declared import records, table
from forensics.report.results import Results
from forensics.report.wording import full_stop
from forensics.schema.compare import CompareSummary, PairSummary

__all__ = ["findings", "overview", "relation_words"]

_TONES = {"error": "bad", "warning": "warn"}


def relation_words(summary: CompareSummary) -> str:
    """Return how many of the others are related to A, and how."""
    name = summary.inputs[0].name
    if summary.pairs[0].scans is not None:
        return f"{len(summary.pairs)} scans against {name}, token by token."
    words = Counter(pair.lineage.relation for pair in summary.pairs if pair.lineage is not None)
    said = ", ".join(f"{count} {word}" for word, count in words.items())
    return f"{len(summary.pairs)} against {name}: {said}."


def findings(results: Results[CompareSummary]) -> Section | None:
    """Return everything that differs, the worst first."""
    rows = results.tables["findings"]
    if rows.empty:
        return Section("findings", "Findings", (Paragraph("Nothing differs that a rule asks for."),))
    shown = table(
        "findings",
        "What differs, the worst first.",
        records(rows),
        ("level", lambda row: Badge(row["level"], _TONES.get(row["level"], "plain"))),
        ("rule", lambda row: row["rule"]),
        ("against", lambda row: row["other"]),
        ("what was found", lambda row: row["message"]),
        total=len(rows),
        where_rest="findings.parquet",
    )
    return Section("findings", "Findings", (shown,))


def overview(results: Results[CompareSummary]) -> Section | None:
    """Return pieces, merges and lineage of every pair."""
    summary = results.summary
    pairs = [pair for pair in summary.pairs if pair.pieces is not None]
    if not pairs:
        return None
    names = {each.letter: each.name for each in summary.inputs}
    shown = table(
        "pairs",
        "Ordinary pieces, matched by bytes, and the order of merges; added tokens apart. The longest common "
        "order is that of the shared merges; unrelated lists have only what chance gives.",
        pairs,
        ("against", lambda pair: f"{pair.other}: {names[pair.other]}"),
        ("relation", lambda pair: pair.lineage.relation if pair.lineage else None),
        ("shared", lambda pair: _of_pieces(pair, "shared")),
        ("only A", lambda pair: _of_pieces(pair, "only_a")),
        ("only here", lambda pair: _of_pieces(pair, "only_b")),
        ("same id", lambda pair: _of_pieces(pair, "same_id")),
        ("merges shared", lambda pair: Number(pair.order.shared if pair.order else None)),
        ("same beginning", lambda pair: Number(pair.order.common_prefix if pair.order else None)),
        ("in one order", lambda pair: _share(pair.order.order_share if pair.order else None)),
        ("by chance", lambda pair: _share(pair.order.by_chance if pair.order else None)),
    )
    sentences = (Paragraph(full_stop(pair.lineage.sentence)) for pair in pairs if pair.lineage is not None)
    blocks: list[Block] = [*sentences, shown]
    if any(pair.order is not None and pair.order.what == "merges" for pair in pairs):
        from forensics.report.blocks import FigureBlock

        blocks.append(
            FigureBlock("merges", "Every shared merge by its place in both lists: a line where one descends "
                        "from the other, a cloud where not.")
        )  # fmt: skip
    return Section("pairs", "Pieces, merges and descent", tuple(blocks))


def _of_pieces(pair: PairSummary, name: str) -> Number:
    return Number(None if pair.pieces is None else getattr(pair.pieces, name))


def _share(value: float | None) -> Number:
    return Number(value, 3, percent=True)
