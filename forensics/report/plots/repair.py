"""The plots of a repair: norms before and after, and how likely each row is anywhere in ordinary text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensics.report.plots.style import COLOURS, INK, Plot, legend, new_figure, save_plot, style
from forensics.report.results import Results, row_token
from forensics.report.visible import plain
from forensics.schema.repair import RepairSummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: A logarithmic axis has no zero: what is below is drawn here.
_FLOOR = 1e-12
#: More points than this are one picture and have no tips.
_MOST_POINTS = 4_000


def draw_plots(results: Results[RepairSummary]) -> dict[str, Plot]:
    """Return the plots `norms` and `probabilities`, those for which there is anything to draw."""
    rows = results.tables["rows"]
    if not len(rows):
        return {}
    with style():
        plots = {"norms": save_plot("norms", _norms(results))}
        if "max_p_before" in rows.columns and rows["max_p_before"].notna().any():
            plots["probabilities"] = save_plot("probabilities", *_probabilities(results))
    return plots


def _norms(results: Results[RepairSummary]) -> Figure:
    """Draw the norms of all embedding rows, with those that are replaced marked below and above."""
    norms, rows = results.summary.norms, results.tables["rows"]
    figure = new_figure(9.2, 3.4)
    axes = figure.add_subplot()
    axes.stairs(norms.counts, norms.edges, fill=True, color=COLOURS["bulk"], alpha=0.75, label="all rows")
    for column, place, colour, label in (
        ("ein_norm_before", -0.03, "verified", "replaced, before"),
        ("ein_norm_after", -0.09, "reference", "after"),
    ):
        values = rows[column].to_numpy(dtype=np.float64, na_value=np.nan)
        values = values[np.isfinite(values)]
        axes.plot(values, np.full(len(values), place), "|", transform=axes.get_xaxis_transform(),
                  color=COLOURS[colour], markersize=9, markeredgewidth=1.2, clip_on=False,
                  label=label)  # fmt: skip
    axes.tick_params(axis="x", pad=16)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylim(bottom=0.7)
    axes.set_xlabel("norm of the embedding row")
    axes.set_ylabel("rows")
    legend(figure, 3)
    return figure


def _probabilities(results: Results[RepairSummary]) -> tuple[Figure, dict[str, list[str]]]:
    """Draw the largest probability of every row, before along and after up."""
    rows = results.tables["rows"]
    rows = rows[rows["max_p_before"].notna()]
    before = np.maximum(rows["max_p_before"].to_numpy(dtype=np.float64), _FLOOR)
    after = np.maximum(rows["max_p_after"].to_numpy(dtype=np.float64), _FLOOR)
    figure = new_figure(6.2, 5.0)
    axes = figure.add_subplot()
    is_dense = len(rows) > _MOST_POINTS
    points = axes.scatter(before, after, s=18, color=COLOURS["rejected"], alpha=0.8, linewidths=0,
                          rasterized=is_dense)  # fmt: skip
    ends = [min(before.min(), after.min()) / 2, max(before.max(), after.max()) * 2]
    axes.plot(ends, ends, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), alpha=0.6)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel("largest probability, untouched")
    axes.set_ylabel("largest probability, repaired")
    tips: dict[str, list[str]] = {}
    if not is_dense:
        points.set_gid("points-rows")
        tips["points-rows"] = [
            f"{plain(row_token(row))}\nid {row['token_id']} · {row['max_p_before']:.3g} → "
            f"{row['max_p_after']:.3g}"
            for row in rows.to_dict("records")
        ]
    return figure, tips
