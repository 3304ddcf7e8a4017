"""Outcomes of `repair` and `membership`, sound unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from forensics.report.results import Results
from forensics.schema.membership import (
    BlindOrder,
    BlindSets,
    MembershipSummary,
    OrderSummary,
    SetsSummary,
)
from forensics.schema.repair import GuardSummary, NormHistogram, RepairSummary, SizesEntry

__all__ = ["membership_of_order", "membership_of_sets", "repaired"]

_SIZES = SizesEntry(200, 200, None, None, 200)
_GUARD = GuardSummary((), 3000, 18.6, 18.6, 1e-7, 2e-7, 0, 0, 0.005, 1e-4, 0, ())
_BLIND_ORDER = BlindOrder(0.17, 0.17, 0.5, 0.05, belong_together=False)


def repaired(objections: tuple[str, ...] = (), **changed: Any) -> Results[RepairSummary]:
    """Return a repair of two rows that the guard finds harmless, or objects to."""
    summary = RepairSummary(
        kind="repair", model="tiny", scanned="tiny", method="mean", ids=(3, 5), by_why={"verified": 2},
        left_special=(), tying="tied", matrices=(), sizes_before=_SIZES, sizes_after=_SIZES,
        guard=replace(_GUARD, objections=objections), norms=NormHistogram((0.0, 1.0), (200,), 0.5),
        other_weights=(), written=None, notes=(), seconds={}, peak_rss_bytes=0,
    )  # fmt: skip
    return Results(replace(summary, **changed), {"rows": pd.DataFrame()})


def membership_of_sets(p: float | None) -> Results[MembershipSummary]:
    """Return texts against controls; `p` None: the blind classifier tells them apart."""
    low = 0.5 if p is not None else 0.9
    blind = BlindSets(low + 0.05, (low, low + 0.1), 0.6, separates=p is None)
    sets = SetsSummary(40, 40, 2000, (), blind, p, 0)
    return _membership("texts", sets=sets)


def membership_of_order(p: float | None) -> Results[MembershipSummary]:
    """Return a data set in its order; `p` None: its neighbours belong together."""
    blind = replace(_BLIND_ORDER, belong_together=p is None)
    order = OrderSummary(250, 0, 100, blind, (), p, None, None if p is None else 1.5)
    return _membership("order", order=order)


def _membership(
    mode: str, sets: SetsSummary | None = None, order: OrderSummary | None = None
) -> Results[MembershipSummary]:
    summary = MembershipSummary(
        kind="membership", model="tiny", mode=mode, sets=sets, order=order, verdict="as planted", notes=(),
        seconds={}, peak_rss_bytes=0,
    )  # fmt: skip
    return Results(summary, {"texts": pd.DataFrame()})
