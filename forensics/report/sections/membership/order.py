"""The order of a data set: the blind test first, then the shards."""

from __future__ import annotations

from forensics.report.blocks import Block, Facts, FigureBlock, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.membership import MembershipSummary

__all__ = ["order"]

_BLIND = (
    "If any order of the lines is as good as the given one, a model that never saw them finds none "
    "likelier. Where neighbouring lines belong together that is false: the given order reads better, and "
    "any model prefers it. So neighbours were compared first, by groups of three characters and without "
    "the model."
)
_RANKS = (
    "In each shard the given order has a rank among random ones. Under exchangeability every rank is as "
    "likely as any other, so p is exact: the share of all ways in which the ranks could sum to so little. "
    "A small p is evidence that this order was seen, with the lines in it; not that any one line was."
)


def order(results: Results[MembershipSummary]) -> Section | None:
    """Return both tests."""
    found = results.summary.order
    if found is None:
        return None
    blind = found.blind
    blocks: list[Block] = [
        Paragraph(_BLIND),
        Facts(
            (
                ("likeness of neighbours", Number(blind.similarity, 4)),
                ("in random order", Number(blind.shuffled, 4)),
                ("p", Number(blind.p, 3)),
                ("lines", Number(found.lines)),
                ("that repeat another", Number(found.repeated)),
            )
        ),
    ]
    if blind.belong_together:
        said = "Neighbours belong together, order is no evidence: the model was not asked."
        return Section("order", "Order", (Paragraph(said, "warn"), *blocks))
    blocks += [
        Paragraph(_RANKS),
        FigureBlock(
            "gains", "What the given order gains over random ones, shard by shard, in their deviations."
        ),
        table(
            "shards",
            f"Shards, each in its own order and in {found.shuffles:,} random ones; log-probabilities in "
            "nats.",
            found.shards,
            ("first line", lambda each: Number(each.first_line)),
            ("lines", lambda each: Number(each.lines)),
            ("tokens", lambda each: Number(each.tokens)),
            ("given order", lambda each: Number(each.canonical, 6)),
            ("random, mean", lambda each: Number(each.shuffled_mean, 6)),
            ("deviation", lambda each: Number(each.shuffled_sd, 3)),
            ("random orders as likely", lambda each: Number(each.at_least)),
        ),
    ]
    return Section("order", "Order", tuple(blocks))
