"""Pieces that only one has, and tokens that only one scan verifies."""

from __future__ import annotations

from forensics.report.blocks import Block, Number, Section, Table, Tokens
from forensics.report.declared import records, table
from forensics.report.results import Record, Results, row_token
from forensics.schema.compare import CompareSummary

__all__ = ["only_here", "scans"]

#: Rows shown of the pieces of one alone.
_MOST = 500


def only_here(results: Results[CompareSummary]) -> Section | None:
    """Return the first pieces that A has and the other lacks, and the reverse."""
    if results.summary.pairs[0].scans is not None:
        return None
    blocks: list[Block] = []
    for pair in results.summary.pairs:
        for name, who in (("only_a", "A"), ("only_b", pair.other)):
            rows = results.tables[name]
            rows = rows[rows["other"] == pair.other]
            if len(rows):
                caption = f"Pieces of {who} alone, of A against {pair.other}, in the order of ids."
                anchor = f"{name.replace('_', '-')}-{pair.other.lower()}"
                blocks.append(
                    table(
                        anchor,
                        caption,
                        records(rows, ("token_id",), _MOST),
                        ("id", lambda row: Number(int(row["token_id"]), grouped=False)),
                        ("token", lambda row: Tokens((row_token(row),))),
                        total=len(rows),
                        where_rest=f"{name}.parquet",
                    )
                )
    return Section("pieces", "Pieces of one alone", tuple(blocks)) if blocks else None


def scans(results: Results[CompareSummary]) -> Section | None:
    """Return the tokens on which two scans differ; those that both verify are counted."""
    blocks = [_standings(results, pair.other) for pair in results.summary.pairs if pair.scans is not None]
    return Section("scans", "Verified in one and not in the other", tuple(blocks)) if blocks else None


def _standings(results: Results[CompareSummary], other: str) -> Table:
    """Return the tokens that one of two scans verifies and the other does not."""
    rows: list[Record] = []
    for name, columns in (
        ("shared", {"token_id_a": "token_id", "standing_a": "a", "standing_b": "b"}),
        ("only_a", {"standing": "a"}),
        ("only_b", {"standing": "b"}),
    ):
        frame = results.tables[name]
        rows += frame[frame["other"] == other].rename(columns=columns).to_dict("records")
    differing = [row for row in rows if row.get("a") != row.get("b")]
    pair = next(each.scans for each in results.summary.pairs if each.other == other)
    both = 0 if pair is None else pair.both
    return table(
        f"scans-{other.lower()}",
        f"Tokens, matched by bytes, that A or {other} verifies and the other does not; {both:,} are "
        "verified in both. Two models on one tokenizer share much of this set whoever trained them.",
        differing,
        ("token", lambda row: Tokens((row_token(row),))),
        ("in A", lambda row: row.get("a", "absent")),
        (f"in {other}", lambda row: row.get("b", "absent")),
        where_rest="shared.parquet",
    )
