"""The plots of a scan: max_prob against the indicator, its distribution, and every pair of indicators.

Dense layers are rasterised: a plot of 262,144 tokens stays below a few hundred kilobytes. Points of tested
tokens stay single, in the order of their tips, so that the page can say which token lies under the pointer.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.report.declared import bound_sign
from forensics.report.plots.style import COLOURS, INK, Plot, legend, new_figure, save_plot, style
from forensics.report.results import Record, Results, row_token
from forensics.report.visible import plain
from forensics.schema.scan import ScanSummary
from forensics.schema.words import INCONCLUSIVE_BELOW, STRONG_BELOW, WEAK_BELOW, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: max_prob below this is drawn at this value: a logarithmic axis has no zero.
_FLOOR = 1e-9
#: Points of one group that are drawn one by one, each with its tip; more become one raster layer.
_MOST_POINTS = 4_000
_GROUPS = {
    "rejected": [Verdict.REJECTED.value],
    "inconclusive": [Verdict.INCONCLUSIVE.value],
    "verified": [Verdict.VERIFIED_STRONG.value, Verdict.VERIFIED_WEAK.value],
}


def draw_plots(results: Results[ScanSummary]) -> dict[str, Plot]:
    """Return the plots that the run's data allow: `verification`, `histogram`, `indicators`."""
    plots: dict[str, Plot] = {}
    if results.indicator is None or not len(_finite(results.tokens[results.indicator])):
        return plots
    with style():
        if results.known("max_prob").any():
            plots["verification"] = save_plot("verification", *_verification(results, results.indicator))
        plots["histogram"] = save_plot("histogram", _histogram(results, results.indicator))
        if len(results.indicators) > 1:
            plots["indicators"] = save_plot("indicators", _pairs(results))
    return plots


def _values(series: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as float64, nulls as NaN."""
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _finite(series: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the finite values of a column."""
    values = _values(series)
    finite: np.ndarray[Any, np.dtype[np.float64]] = values[np.isfinite(values)]
    return finite


def _logarithmic(axes: Axes) -> None:
    """Make the vertical axis logarithmic, its labels as one writes them (0.01, 1e-05, 1,000)."""
    axes.set_yscale("log")
    # Plain text also spares matplotlib's formula parser, half the time of a plot.
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda *_: "")


def _draw_cuts(axes: Axes, results: Results[ScanSummary]) -> None:
    """Draw the two cuts on the main indicator as vertical lines, those that are known."""
    chosen = results.summary.indicator
    patterns: list[Any] = [(0, (1.2, 1.8)), (0, (5, 2))]
    cuts = (
        (chosen.threshold, f"lowest {chosen.percent:g} %"),
        (chosen.data_driven.threshold, "found in the data"),
    )
    for (value, label), pattern in zip(cuts, patterns, strict=True):
        if value is not None:
            axes.axvline(value, color=INK, linewidth=0.9, linestyle=pattern, zorder=1, label=label)


def _verification(results: Results[ScanSummary], name: str) -> tuple[Figure, dict[str, list[str]]]:
    """Draw max_prob against the main indicator, one point per tested token."""
    finite = np.isfinite(_values(results.tokens[name]))
    tested = results.tokens[results.tested & results.known("max_prob") & finite]
    figure = new_figure(9.2, 5.4)
    axes = figure.add_subplot()
    tips: dict[str, list[str]] = {}
    for group, verdicts in _GROUPS.items():
        rows = tested[tested["verdict"].isin(verdicts)]
        if rows.empty:
            continue
        x, y = _values(rows[name]), np.maximum(_values(rows["max_prob"]), _FLOOR)
        is_dense = len(rows) > _MOST_POINTS
        points = axes.scatter(x, y, s=15, color=COLOURS[group], alpha=0.78, linewidths=0,
                              label=f"{group} ({len(rows):,})", rasterized=is_dense)  # fmt: skip
        if not is_dense:
            points.set_gid(f"points-{group}")
            tips[f"points-{group}"] = [_tip(record, name) for record in rows.to_dict("records")]
    _logarithmic(axes)
    for line in (STRONG_BELOW, WEAK_BELOW, INCONCLUSIVE_BELOW):
        axes.axhline(line, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), alpha=0.55, zorder=0)
    _draw_cuts(axes, results)
    axes.set_xlabel(f"{name}  (low = suspicious)")
    axes.set_ylabel("max_prob")
    legend(figure, 5)
    return figure, tips


def _tip(record: Record, indicator: str) -> str:
    """Return what hovering over a point says."""
    token = row_token(record)
    highest = f"{bound_sign(record)}{float(record['max_prob']):.3g}"
    return (
        f"{plain(token)}\nid {token.token_id} · max_prob {highest} · "
        f"{indicator} {float(record[indicator]):.4g}"
    )


def _histogram(results: Results[ScanSummary], name: str) -> Figure:
    """Draw how the main indicator is distributed, with the cuts and the reference tokens."""
    values = _finite(results.tokens[name])
    figure = new_figure(9.2, 3.4)
    axes = figure.add_subplot()
    bins: Any = np.linspace(values.min(), values.max(), 121) if np.ptp(values) > 0 else 10
    axes.hist(values, bins=bins, color=COLOURS["bulk"], alpha=0.75, linewidth=0, label="all tokens")
    verified = _finite(results.tokens.loc[results.verified, name])
    if len(verified):
        axes.hist(verified, bins=bins, color=COLOURS["verified"], alpha=0.9, linewidth=0, label="verified")
    reference = _finite(results.tokens.loc[results.where("is_reference", True), name])
    if len(reference):
        # In axes coordinates: just below the bars whatever the counts are.
        axes.plot(reference, np.full(len(reference), -0.025), "|", transform=axes.get_xaxis_transform(),
                  color=COLOURS["reference"], markersize=8, markeredgewidth=1.1, clip_on=False,
                  label="reference tokens")  # fmt: skip
        axes.tick_params(axis="x", pad=9)
    _logarithmic(axes)
    axes.set_ylim(bottom=0.7)
    _draw_cuts(axes, results)
    axes.set_xlabel(f"{name}  (low = suspicious)")
    axes.set_ylabel("tokens")
    legend(figure, 5)
    return figure


def _pairs(results: Results[ScanSummary]) -> Figure:
    """Draw every pair of indicators: the crowd as a density, the suspicious on top."""
    pairs = list(combinations(results.indicators, 2))
    columns = min(3, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_figure(9.2, 2.9 * rows + 0.3)
    for number, (across, up) in enumerate(pairs, 1):
        _pair(figure.add_subplot(rows, columns, number), results, across, up)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper left", ncols=4, fontsize=9)
    return figure


def _pair(axes: Axes, results: Results[ScanSummary], across: str, up: str) -> None:
    """Draw one pair of indicators."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    x, y = _values(results.tokens[across]), _values(results.tokens[up])
    finite = np.isfinite(x) & np.isfinite(y)
    if finite.any():
        counts, x_edges, y_edges = np.histogram2d(x[finite], y[finite], bins=90)
        crowd = LinearSegmentedColormap.from_list("crowd", [f"{COLOURS['bulk']}38", f"{COLOURS['bulk']}ff"])
        norm = LogNorm(vmin=1, vmax=max(2.0, float(counts.max())))
        shown = np.ma.masked_equal(counts.T, 0)
        axes.pcolormesh(x_edges, y_edges, shown, norm=norm, cmap=crowd, rasterized=True, linewidth=0)
    for group, chosen, label, size, marker, width in (
        ("reference", results.where("is_reference", True), "reference tokens", 26, "+", 1.0),
        ("verified", results.verified, "verified", 9, "o", 0.0),
    ):
        on = chosen.to_numpy() & finite
        if on.any():
            axes.scatter(x[on], y[on], s=size, marker=marker, color=COLOURS[group], linewidths=width,
                         alpha=0.75, label=label, rasterized=int(on.sum()) > 300)  # fmt: skip
    axes.set_xlabel(across, fontsize=8.5)
    axes.set_ylabel(up, fontsize=8.5)
    axes.tick_params(labelsize=7.5)
    axes.locator_params(nbins=4)
