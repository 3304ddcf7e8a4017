"""The plots of a comparison: shared merges by their places, and premiums from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.report.plots.style import COLOURS, Plot, new_figure, save_plot, style
from forensics.report.results import Results
from forensics.schema.compare import CompareSummary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: Points of one panel, evenly taken from the list: more cannot be told apart.
_MOST_POINTS = 8_000
#: Panels side by side.
_MOST_PANELS = 4
#: Height of a label with what is around it, and of the axis' margins with it.
_LABEL_INCHES = 0.17


def draw_plots(results: Results[CompareSummary]) -> dict[str, Plot]:
    """Return the plots `merges` and `premiums`, those for which there is anything to draw."""
    plots = {}
    with style():
        if any(pair.order is not None and pair.order.what == "merges" for pair in results.summary.pairs):
            plots["merges"] = save_plot("merges", _merges(results))
        if any(each.has_premiums for each in results.summary.pairs[0].lengths):
            plots["premiums"] = save_plot("premiums", _premiums(results.summary))
    return plots


def _merges(results: Results[CompareSummary]) -> Figure:
    """Draw one panel per pair: place in A along, place in the other up."""
    pairs = [pair for pair in results.summary.pairs if pair.order and pair.order.what == "merges"]
    pairs = pairs[:_MOST_PANELS]
    merges = results.tables["merges"]
    names = {each.letter: each.name for each in results.summary.inputs}
    figure = new_figure(4.6 * len(pairs), 4.2)
    for axes, pair in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        rows: pd.DataFrame = merges[merges["other"] == pair.other]
        taken = rows.iloc[:: max(1, -(-len(rows) // _MOST_POINTS))]
        axes.scatter(
            taken["rank_a"].to_numpy(dtype=np.int64), taken["rank_b"].to_numpy(dtype=np.int64),
            s=2, color=COLOURS["rejected"], alpha=0.5, linewidths=0, rasterized=True,
        )  # fmt: skip
        axes.set_xlabel(f"place in {names['A']}")
        axes.set_ylabel(f"place in {names[pair.other]}")
    return figure


def _premiums(summary: CompareSummary) -> Figure:
    """Draw one line per language from its premium in A to that in the first other, on a log axis."""
    pair = summary.pairs[0]
    known = [
        (each.language, each.premium_a, each.premium_b)
        for each in pair.lengths
        if each.has_premiums and each.premium_a and each.premium_b
    ]
    height = max(4.0, 0.19 * len(known))
    figure = new_figure(7.2, height)
    axes = figure.add_subplot()
    axes.set_yscale("log")
    for _, one, other in known:
        colour = COLOURS["verified"] if other > one else COLOURS["reference"]
        axes.plot([0, 1], [one, other], color=colour if other != one else COLOURS["bulk"], linewidth=1.1)
    values = np.array([[one, other] for _, one, other in known])
    gap = _LABEL_INCHES / height * max(float(np.log(values.max() / values.min())), 0.5)
    for at, side, align in ((0, -1, "right"), (1, 1, "left")):
        for (language, *_), value, place in zip(
            known, values[:, at], _apart(values[:, at], gap), strict=True
        ):
            axes.plot([at, at + 0.06 * side], [value, place], color=COLOURS["bulk"], linewidth=0.5)
            axes.text(at + 0.07 * side, place, f"{language} {value:.2f}", ha=align, va="center", fontsize=7)
    names = {each.letter: each.name for each in summary.inputs}
    axes.set_xticks([0, 1], [names["A"], names[pair.other]])
    axes.set_xlim(-0.4, 1.4)
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("tokens against English, log scale")
    return figure


def _apart(values: Sequence[float] | npt.NDArray[np.float64], gap: float) -> list[float]:
    """Return places for labels on a log axis: nearest to the values, in their order, `gap` apart.

    With the gaps taken away this is isotonic regression.

    :param values: Where the labels belong, above 0.
    :param gap: In logarithms.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    found = np.empty(len(values))
    found[order] = np.exp(isotonic_regression(np.log(np.asarray(values)[order]) - steps).x + steps)
    return [float(each) for each in found]
