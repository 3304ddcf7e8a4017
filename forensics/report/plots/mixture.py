"""The plots of a mixture: shares with their intervals, and how far each stretch of the list is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensics.report.plots.style import COLOURS, INK, Plot, new_figure, save_plot, style
from forensics.report.results import Results
from forensics.schema.mixture import MixtureSummary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: Bars drawn; what is below them stands in the table.
_MOST_BARS = 40
#: Points of the list at which the shortfall is averaged.
_STRETCHES = 60


def draw_plots(results: Results[MixtureSummary]) -> dict[str, Plot]:
    """Return the plots `shares` and `violation`."""
    with style():
        plots = {"shares": save_plot("shares", _shares(results.summary))}
        if len(merges := results.tables["merges"]):
            plots["violation"] = save_plot("violation", _violation(merges))
    return plots


def _shares(summary: MixtureSummary) -> Figure:
    """Draw one bar per category, largest on top, with the interval where there is one."""
    shares = sorted(summary.proportions.items(), key=lambda item: -item[1])[:_MOST_BARS]
    figure = new_figure(9.2, 0.9 + 0.22 * len(shares))
    axes = figure.add_subplot()
    groups = sorted({name.partition("/")[0] for name, _ in shares if "/" in name})
    palette = [COLOURS["rejected"], COLOURS["inconclusive"], COLOURS["reference"], COLOURS["verified"]]
    intervals = summary.interval or {}
    for at, (name, share) in enumerate(shares):
        group = name.partition("/")[0]
        colour = palette[groups.index(group) % len(palette)] if group in groups else palette[0]
        axes.barh(at, 100 * share, color=colour, height=0.7)
        if name in intervals and intervals[name] != (0, 1):
            low, high = intervals[name]
            axes.plot([100 * low, 100 * high], [at, at], color=INK, linewidth=1.2)
    axes.set_yticks(range(len(shares)), [name for name, _ in shares])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("share of the training text, % of bytes")
    return figure


def _violation(merges: pd.DataFrame) -> Figure:
    """Draw counts and curve along the list above, and the mean shortfall of each stretch below."""
    figure = new_figure(9.2, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True)
    step = merges["step"].to_numpy() + 1
    count, curve = merges["count_per_byte"].to_numpy(), merges["curve_per_byte"].to_numpy()
    shown = count > 0
    upper.scatter(step[shown], count[shown], s=3, color=COLOURS["bulk"], alpha=0.5, linewidths=0,
                  rasterized=True, label="learned pair in the estimated mixture")  # fmt: skip
    above_zero = np.maximum(curve, curve[curve > 0].min() if (curve > 0).any() else 1e-12)
    upper.plot(step, above_zero, color=COLOURS["verified"], linewidth=1.4, label="curve")
    upper.set_yscale("log")
    upper.set_xscale("log")
    upper.set_ylabel("count per byte of text")
    upper.legend(fontsize=9)
    short = np.clip(np.divide(curve - count, curve, out=np.ones_like(curve), where=curve > 0), 0, 1)
    edges = np.unique(np.geomspace(1, step[-1] + 1, _STRETCHES).astype(int))
    place = np.searchsorted(edges, step, side="right")
    means = [(step[place == each].mean(), 100 * short[place == each].mean()) for each in np.unique(place)]
    at, mean = zip(*means, strict=True)
    lower.step(at, mean, where="mid", color=COLOURS["inconclusive"])
    lower.set_ylim(0, 100)
    lower.set_xlabel("merge")
    lower.set_ylabel("missing from the curve, %")
    return figure
