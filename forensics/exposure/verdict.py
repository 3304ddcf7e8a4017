"""What follows from the numbers, in a sentence that claims no more than they show."""

from __future__ import annotations

from forensics.schema.membership import EVIDENCE_BELOW, OrderSummary, SetsSummary

__all__ = ["order_verdict", "sets_verdict"]


def sets_verdict(sets: SetsSummary) -> str:
    """Return what follows for texts, with or without controls."""
    if sets.blind is None:
        return "scores without controls: no p-value and no verdict"
    if sets.blind.separates:
        return "the two sets differ without the model: no conclusion"
    if sets.p_corrected is None or sets.p_corrected >= EVIDENCE_BELOW:
        return "no evidence that the model knows the texts better than the controls"
    return (
        f"the model finds the texts likelier than the controls (p {sets.p_corrected:.2g}, corrected for the "
        "number of scores), and text alone does not tell them apart: evidence that texts like these were seen"
    )


def order_verdict(order: OrderSummary) -> str:
    """Return what follows for a data set's order."""
    if order.blind.belong_together:
        return "neighbours belong together, order is no evidence: refused"
    if order.p is None or order.p >= EVIDENCE_BELOW:
        return "no evidence that this order was seen"
    return "evidence that this order was seen"
