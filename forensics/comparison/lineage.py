"""Who descends from whom, in one sentence with its numbers.

The thresholds were chosen after seeing 17 pairs of released tokenizers: related ones have 88.8 % or more of
their shared merges in common order, unrelated ones 3.2 % or less, and none lies between
(benchmarks/lineage.py prints those whose files are at hand). They are no error rates.
"""

from __future__ import annotations

from forensics.comparison.merge_order import MergeOrder
from forensics.comparison.vocabularies import VocabularyDifference, describe_pieces
from forensics.schema.compare import Lineage, Relation

__all__ = ["lineage"]

#: Share of the shared merges in common order.
DERIVED_FROM = 0.99
RELATED_FROM = 0.50
NO_SIGN_BELOW = 0.10
#: Fewer shared merges, or a smaller part of the shorter list, have no order to speak of.
FEWEST_SHARED = 100
LEAST_PART = 0.10


def lineage(
    name_a: str,
    name_b: str,
    pieces: VocabularyDifference,
    merges: MergeOrder | None,
    scores: MergeOrder | None = None,
) -> Lineage:
    """Return how A and B are related.

    :param name_a: What to call A.
    :param name_b: What to call B.
    :param pieces: Their ordinary pieces.
    :param merges: The order of their merges, or None.
    :param scores: The order of their pieces by score, for Unigram, where there are no merges.
    """
    order, word = (merges, "merges") if merges is not None else (scores, "pieces by score")
    share = order.order_share if order is not None else None
    if order is None or share is None:
        return Lineage(
            Relation.NOT_TESTABLE,
            f"{name_a} and {name_b} have no order to compare (no merges, no scores): {_of(pieces)}",
        )
    numbers = (
        f"{_of(pieces)}, {order.shared:,} {word} shared, {share:.1%} of these in one order "
        f"(strangers have about {order.by_chance:.1%})"
    )
    if (
        not pieces.only_a
        and not pieces.only_b
        and share == 1
        and order.size_a == order.size_b == order.shared
    ):
        ids = "" if pieces.same_id == len(pieces.shared) else f"; {pieces.same_id:,} ids are equal"
        return Lineage(Relation.IDENTICAL, f"{name_a} and {name_b} are identical: {numbers}{ids}")
    if order.shared < max(FEWEST_SHARED, LEAST_PART * min(order.size_a, order.size_b)):
        return Lineage(Relation.NOT_TESTABLE, f"{name_a} and {name_b} share too little to tell: {numbers}")
    if share >= DERIVED_FROM:
        return _derived(name_a, name_b, pieces, numbers)
    for relation, least, words in (
        (Relation.RELATED, RELATED_FROM, "are related"),
        (Relation.UNCLEAR, NO_SIGN_BELOW, "may be related, which is unclear"),
        (Relation.NO_SIGN, 0.0, "show no sign of descent"),
    ):
        if share >= least:
            return Lineage(relation, f"{name_a} and {name_b} {words}: {numbers}")
    raise AssertionError("a share is never negative")


def _derived(name_a: str, name_b: str, pieces: VocabularyDifference, numbers: str) -> Lineage:
    """Say what one has beyond the other, the smaller difference first."""
    if not pieces.only_a or not pieces.only_b:
        small, large, more = (
            (name_a, name_b, pieces.only_b) if not pieces.only_a else (name_b, name_a, pieces.only_a)
        )
        if not more:
            return Lineage(
                Relation.EXTENDED, f"{large} has the pieces of {small} and other merges: {numbers}"
            )
        return Lineage(Relation.EXTENDED, f"{large} is {small} plus {describe_pieces(more)}: {numbers}")
    # Names the side that lost less as the ancestor; it need not be: both may stem from a third.
    swap = len(pieces.only_a) > len(pieces.only_b)
    old, new = (name_b, name_a) if swap else (name_a, name_b)
    lost, gained = (pieces.only_b, pieces.only_a) if swap else (pieces.only_a, pieces.only_b)
    return Lineage(
        Relation.COMMON_ANCESTOR,
        f"{new} is {old} without {describe_pieces(lost)} and with {describe_pieces(gained)} more, "
        f"or both stem from a third: {numbers}",
    )


def _of(pieces: VocabularyDifference) -> str:
    return f"{len(pieces.shared):,} pieces shared of {pieces.size_a:,} and {pieces.size_b:,}"
