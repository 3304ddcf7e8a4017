"""The plots of a membership run: areas under the curve with intervals, and gains of an order by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensics.report.plots.style import COLOURS, INK, Plot, new_figure, save_plot, style
from forensics.report.results import Results
from forensics.schema.membership import MembershipSummary, OrderSummary, SetsSummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]


def draw_plots(results: Results[MembershipSummary]) -> dict[str, Plot]:
    """Return `areas` of texts with controls, `gains` of an order that was put to the model."""
    summary, plots = results.summary, {}
    with style():
        if summary.sets is not None and summary.sets.blind is not None:
            plots["areas"] = save_plot("areas", _areas(summary.sets))
        if summary.order is not None and summary.order.shards:
            plots["gains"] = save_plot("gains", _gains(summary.order))
    return plots


def _areas(sets: SetsSummary) -> Figure:
    """Draw one line per score, the blind classifier on top."""
    lines = [("blind", sets.blind.auroc, sets.blind.interval)] if sets.blind is not None else []
    lines += [
        (each.name, each.auroc, each.interval)
        for each in sets.scores
        if each.auroc is not None and each.interval is not None
    ]
    figure = new_figure(7.2, 0.42 * len(lines) + 1.0)
    axes = figure.add_subplot()
    for place, (name, area, (low, high)) in enumerate(reversed(lines)):
        colour = COLOURS["verified" if name == "blind" else "rejected"]
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([area], [place], "o", color=colour, markersize=6)
    axes.axvline(0.5, color=INK, linewidth=0.7)
    if sets.blind is not None:
        axes.axvline(sets.blind.limit, color=COLOURS["verified"], linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(lines)), [name for name, *_ in reversed(lines)])
    axes.set_xlim(0, 1)
    axes.set_xlabel("area under the curve, texts against controls")
    return figure


def _gains(order: OrderSummary) -> Figure:
    """Draw what every shard's given order gains, in standard deviations of its random orders."""
    gains = [
        (each.canonical - each.shuffled_mean) / each.shuffled_sd if each.shuffled_sd else 0.0
        for each in order.shards
    ]
    figure = new_figure(9.2, 3.0)
    axes = figure.add_subplot()
    axes.axhspan(-2, 2, color=COLOURS["bulk"], alpha=0.2, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.7)
    axes.bar(np.arange(len(gains)), gains, color=COLOURS["rejected"], width=0.7)
    axes.set_xlabel("shard")
    axes.set_ylabel("gain of the given order\n(standard deviations)")
    return figure
