"""The plots of a sticky-token report: effects, similarities before and after, attention, retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.report.plot_style import COLOURS, INK, Plot, new_figure, save_plot, style
from forensics.report.results import Results
from forensics.report.visible import plain, shorten, token_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_sticky_plots", "shown_token"]

#: Highest bar that still leaves a single token visible without a logarithmic scale.
_LINEAR = 60
_STICKY, _ORDINARY, _BULK = COLOURS["verified"], COLOURS["rejected"], COLOURS["bulk"]


def draw_sticky_plots(results: Results) -> dict[str, Plot]:
    """Return the plots that the run's data allow, by name."""
    plots: dict[str, Plot] = {}
    with style():
        if results.has("effect", "sticky_score"):
            plots["effects"] = save_plot("effects", (_effects(results), {}))
        if results.get("scatter"):
            plots["scatter"] = save_plot("scatter", (_scatter(results), {}))
        if results.get("attention.shares.sticky"):
            plots["attention"] = save_plot("attention", (_attention(results), {}))
        if results.get("retrieval.tokens"):
            plots["retrieval"] = save_plot("retrieval", (_retrieval(results), {}))
        if results.get("method") == "std" and results.tokens["validation"].notna().any():
            plots["published"] = save_plot("published", (_published(results), {}))
    return plots


def shown_token(results: Results, token_id: int) -> str:
    """Return a token as one short line of plain text, or its id where a plot's font may lack a letter."""
    row = results.tokens[results.tokens["token_id"] == token_id].iloc[0]
    shown = shorten(plain(token_text(token_id, row["piece"])), 18)
    # matplotlib's own font covers Latin, Greek and Cyrillic, and no font of the system can be counted on.
    return shown if all(ord(character) < 0x530 for character in shown) else f"id {token_id}"


def _column(results: Results, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return results.tokens[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _effects(results: Results) -> Figure:
    """Draw the screen's estimates of all tokens, and what the full measurement found."""
    figure = new_figure(9.2, 3.6)
    axes = figure.add_subplot()
    screen, effect = _column(results, "sticky_score"), _column(results, "effect")
    sticky = results.where("sticky", True).to_numpy()
    finite = np.concatenate([screen[np.isfinite(screen)], effect[np.isfinite(effect)]])
    if len(finite):
        bins: Any = np.linspace(finite.min(), finite.max() + 1e-9, 121)
        axes.hist(
            screen, bins=bins, color=_BULK, alpha=0.7, label=f"screen, {np.isfinite(screen).sum():,} tokens"
        )
        axes.hist(
            effect[sticky], bins=bins, color=_STICKY, alpha=0.9, label=f"sticky, measured ({sticky.sum():,})"
        )
        if np.histogram(screen[np.isfinite(screen)], bins)[0].max(initial=0) > _LINEAR:
            axes.set_yscale("log")
        else:
            axes.locator_params(axis="y", integer=True)
    minimum = results.get("minimum_effect")
    if minimum is not None:
        axes.axvline(
            minimum, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), label="least effect that counts"
        )
    axes.set_xlabel("effect: 1 - slope / slope of the median ordinary token")
    axes.set_ylabel("tokens")
    figure.legend(loc="outside upper left", ncols=3, fontsize=9)
    return figure


def _scatter(results: Results) -> Figure:
    """Draw similarity after against before, for the worst tokens and an ordinary one."""
    shown = list(results.get("scatter"))
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(9.2, 3.1 * rows)
    u = results.get("mean_token_similarity")
    for number, one in enumerate(shown, 1):
        axes = figure.add_subplot(rows, columns, number)
        _scatter_of(axes, results, one, u)
    return figure


def _scatter_of(axes: Axes, results: Results, one: Mapping[str, Any], u: float | None) -> None:
    before, after = np.array(one["before"], dtype=float), np.array(one["after"], dtype=float)
    colour = _STICKY if one["kind"] == "sticky" else _ORDINARY
    axes.scatter(before, after, s=7, color=colour, alpha=0.55, linewidths=0, rasterized=True)
    ends = np.array([min(before.min(), after.min()), max(before.max(), after.max())])
    axes.plot(ends, ends, color=INK, linewidth=0.7, linestyle=(0, (1.2, 1.8)))
    slope, intercept = np.polyfit(before, after, 1)
    axes.plot(ends, slope * ends + intercept, color=INK, linewidth=1.2)
    if u is not None:
        axes.plot([u], [u], marker="D", color=COLOURS["inconclusive"], markersize=5)
    # The table's slope is a mean over probes; that of the points shown here is another number.
    effect = results.tokens.set_index("token_id")["effect"][int(one["token_id"])]
    name = shown_token(results, int(one["token_id"]))
    axes.set_title(f"{name}  ({one['kind']}, effect {effect:.2f})", fontsize=9)
    axes.set_xlabel("cosine before", fontsize=8.5)
    axes.set_ylabel("cosine after", fontsize=8.5)
    axes.tick_params(labelsize=7.5)


def _attention(results: Results) -> Figure:
    """Draw the share of attention by layer, one line a token, against an even spread."""
    figure = new_figure(9.2, 3.6)
    axes = figure.add_subplot()
    for kind, colour in (("ordinary", _ORDINARY), ("sticky", _STICKY)):
        lines: Sequence[Sequence[float]] = results.get(f"attention.shares.{kind}") or []
        for number, line in enumerate(lines):
            layers = np.arange(1, len(line) + 1)
            label = f"{kind} tokens" if number == 0 else None
            axes.plot(layers, line, color=colour, linewidth=0.9, alpha=0.45, label=label)
        if lines:
            mean = np.mean(lines, axis=0)
            axes.plot(np.arange(1, len(mean) + 1), mean, color=colour, linewidth=2.6, label=f"{kind}, mean")
    axes.axhline(
        results.get("attention.even_share"),
        color=INK,
        linewidth=0.8,
        linestyle=(0, (4, 3)),
        label="even spread",
    )
    axes.set_xlabel("layer")
    axes.set_ylabel("share of attention on the copies")
    axes.locator_params(axis="x", integer=True)
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside upper left", ncols=5, fontsize=9)
    return figure


def _retrieval(results: Results) -> Figure:
    """Draw nDCG@10 of every sticky token against its effect."""
    figure = new_figure(9.2, 3.4)
    effect = results.tokens.set_index("token_id")["effect"]
    tokens = results.get("retrieval.tokens")
    for number, (key, title) in enumerate((("in_queries", "token in the queries"),
                                           ("in_documents", "token in the document sought")), 1):  # fmt: skip
        axes = figure.add_subplot(1, 2, number)
        x = [float(effect[row["token_id"]]) for row in tokens]
        axes.scatter(x, [row[key] for row in tokens], s=12, color=_STICKY, alpha=0.7, linewidths=0,
                     label="sticky" if number == 1 else None)  # fmt: skip
        ordinary = results.get("retrieval.ordinary_tokens")
        axes.scatter([float(effect[row["token_id"]]) for row in ordinary], [row[key] for row in ordinary],
                     s=12, color=_ORDINARY, alpha=0.7, linewidths=0,
                     label="ordinary" if number == 1 else None)  # fmt: skip
        axes.axhline(results.get("retrieval.untouched"), color=INK, linewidth=0.9, linestyle=(0, (4, 2)),
                     label="nothing inserted" if number == 1 else None)  # fmt: skip
        axes.axhline(results.get(f"retrieval.ordinary_{key}"), color=_ORDINARY, linewidth=1.6,
                     label="ordinary tokens, mean" if number == 1 else None)  # fmt: skip
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("effect")
        if number == 1:
            axes.set_ylabel("nDCG@10")
        axes.set_ylim(0, 1)
    figure.legend(loc="outside upper left", ncols=4, fontsize=9)
    return figure


def _published(results: Results) -> Figure:
    """Draw validation against shortlist score."""
    figure = new_figure(9.2, 4.0)
    axes = figure.add_subplot()
    sticky = results.where("sticky", True).to_numpy()
    x, y = _column(results, "sticky_score"), _column(results, "validation")
    axes.scatter(x[~sticky], y[~sticky], s=12, color=_ORDINARY, alpha=0.7, linewidths=0, label="validated")
    axes.scatter(x[sticky], y[sticky], s=16, color=_STICKY, linewidths=0, label="above the fence")
    fence = results.get("validation_fence")
    if fence is not None:
        axes.axhline(fence, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), label="Q3 + 0.7 IQR")
    axes.set_xlabel("sticky_score")
    axes.set_ylabel("validation: share of cells drawn nearer")
    figure.legend(loc="outside upper left", ncols=3, fontsize=9)
    return figure
