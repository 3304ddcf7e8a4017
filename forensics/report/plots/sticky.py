"""The plots of a sticky-token report: effects, similarities before and after, attention, retrieval."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.report.plots.style import COLOURS, INK, Plot, legend, new_figure, save_plot, style
from forensics.report.results import Results
from forensics.report.visible import plain, shorten, token_text
from forensics.schema.sticky import (
    AttentionSummary,
    DamageEntry,
    RetrievalSummary,
    ScatterEntry,
    StickySummary,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: Highest bar that still leaves a single token visible without a logarithmic scale.
_LINEAR = 60
_STICKY, _ORDINARY, _BULK = COLOURS["verified"], COLOURS["rejected"], COLOURS["bulk"]
_DASHED: Any = (0, (4, 2))


def draw_plots(results: Results[StickySummary]) -> dict[str, Plot]:
    """Return the plots that the run's data allow, by name."""
    summary = results.summary
    drawn: dict[str, Figure] = {}
    with style():
        if results.has("effect", "sticky_score"):
            drawn["effects"] = _effects(results)
        if summary.scatter:
            drawn["scatter"] = _scatter(results)
        if summary.attention is not None and summary.attention.shares.get("sticky"):
            drawn["attention"] = _attention(summary.attention)
        if summary.retrieval is not None and summary.retrieval.tokens:
            drawn["retrieval"] = _retrieval(results, summary.retrieval)
        if summary.method == "std" and results.known("validation").any():
            drawn["published"] = _published(results)
        return {name: save_plot(name, figure) for name, figure in drawn.items()}


def _shown_token(results: Results[StickySummary], token_id: int) -> str:
    """Return a token as one short line of plain text, or its id where a plot's font may lack a letter."""
    row = results.tokens[results.tokens["token_id"] == token_id].iloc[0]
    shown = shorten(plain(token_text(token_id, row["piece"])), 18)
    # matplotlib's own font covers Latin, Greek and Cyrillic, and no font of the system can be counted on.
    return shown if all(ord(character) < 0x530 for character in shown) else f"id {token_id}"


def _column(results: Results[StickySummary], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return results.tokens[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _effects(results: Results[StickySummary]) -> Figure:
    """Draw the screen's estimates of all tokens, and what the full measurement found."""
    figure = new_figure(9.2, 3.6)
    axes = figure.add_subplot()
    screen, effect = _column(results, "sticky_score"), _column(results, "effect")
    sticky = results.where("sticky", True).to_numpy()
    screened = screen[np.isfinite(screen)]
    finite = np.concatenate([screened, effect[np.isfinite(effect)]])
    if len(finite):
        bins: Any = np.linspace(finite.min(), finite.max() + 1e-9, 121)
        axes.hist(screen, bins=bins, color=_BULK, alpha=0.7, label=f"screen, {len(screened):,} tokens")
        found = f"sticky, measured ({sticky.sum():,})"
        axes.hist(effect[sticky], bins=bins, color=_STICKY, alpha=0.9, label=found)
        if np.histogram(screened, bins)[0].max(initial=0) > _LINEAR:
            axes.set_yscale("log")
        else:
            axes.locator_params(axis="y", integer=True)
    minimum = results.summary.minimum_effect
    if minimum is not None:
        axes.axvline(minimum, color=INK, linewidth=0.9, linestyle=_DASHED, label="least effect that counts")
    axes.set_xlabel("effect: 1 - slope / slope of the median ordinary token")
    axes.set_ylabel("tokens")
    legend(figure, 3)
    return figure


def _scatter(results: Results[StickySummary]) -> Figure:
    """Draw similarity after against before, for the worst tokens and an ordinary one."""
    shown = results.summary.scatter
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(9.2, 3.1 * rows)
    for number, one in enumerate(shown, 1):
        _scatter_of(figure.add_subplot(rows, columns, number), results, one)
    return figure


def _scatter_of(axes: Axes, results: Results[StickySummary], one: ScatterEntry) -> None:
    """Draw the pairs of one token, their fit and u."""
    before, after = np.array(one.before, dtype=float), np.array(one.after, dtype=float)
    colour = _STICKY if one.kind == "sticky" else _ORDINARY
    axes.scatter(before, after, s=7, color=colour, alpha=0.55, linewidths=0, rasterized=True)
    ends = np.array([min(before.min(), after.min()), max(before.max(), after.max())])
    axes.plot(ends, ends, color=INK, linewidth=0.7, linestyle=(0, (1.2, 1.8)))
    slope, intercept = np.polyfit(before, after, 1)
    axes.plot(ends, slope * ends + intercept, color=INK, linewidth=1.2)
    u = results.summary.mean_token_similarity
    axes.plot([u], [u], marker="D", color=COLOURS["inconclusive"], markersize=5)
    # The table's slope is a mean over probes; that of the points shown here is another number.
    effect = results.tokens.set_index("token_id")["effect"][one.token_id]
    name = _shown_token(results, one.token_id)
    axes.set_title(f"{name}  ({one.kind}, effect {effect:.2f})", fontsize=9)
    axes.set_xlabel("cosine before", fontsize=8.5)
    axes.set_ylabel("cosine after", fontsize=8.5)
    axes.tick_params(labelsize=7.5)


def _attention(seen: AttentionSummary) -> Figure:
    """Draw the share of attention by layer, one line a token, against an even spread."""
    figure = new_figure(9.2, 3.6)
    axes = figure.add_subplot()
    for kind, colour in (("ordinary", _ORDINARY), ("sticky", _STICKY)):
        lines = seen.shares.get(kind, ())
        for number, line in enumerate(lines):
            label = f"{kind} tokens" if number == 0 else None
            axes.plot(range(1, len(line) + 1), line, color=colour, linewidth=0.9, alpha=0.45, label=label)
        if lines:
            mean = np.mean(lines, axis=0)
            axes.plot(range(1, len(mean) + 1), mean, color=colour, linewidth=2.6, label=f"{kind}, mean")
    axes.axhline(seen.even_share, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="even spread")
    axes.set_xlabel("layer")
    axes.set_ylabel("share of attention on the copies")
    axes.locator_params(axis="x", integer=True)
    axes.set_ylim(bottom=0)
    legend(figure, 5)
    return figure


def _retrieval(results: Results[StickySummary], tried: RetrievalSummary) -> Figure:
    """Draw nDCG@10 of every sticky token against its effect."""
    figure = new_figure(9.2, 3.4)
    effect = results.tokens.set_index("token_id")["effect"].astype(float)
    sides: tuple[tuple[str, float | None, Callable[[DamageEntry], float]], ...] = (
        ("token in the queries", tried.ordinary_in_queries, lambda entry: entry.in_queries),
        ("token in the document sought", tried.ordinary_in_documents, lambda entry: entry.in_documents),
    )
    for number, (title, ordinary, value) in enumerate(sides, 1):
        axes = figure.add_subplot(1, 2, number)
        named = number == 1  # one legend for both
        for entries, colour, label in (
            (tried.tokens, _STICKY, "sticky"),
            (tried.ordinary_tokens, _ORDINARY, "ordinary"),
        ):
            x, y = [effect[entry.token_id] for entry in entries], [value(entry) for entry in entries]
            axes.scatter(x, y, s=12, color=colour, alpha=0.7, linewidths=0, label=label if named else None)
        axes.axhline(tried.untouched, color=INK, linewidth=0.9, linestyle=_DASHED,
                     label="nothing inserted" if named else None)  # fmt: skip
        if ordinary is not None:
            axes.axhline(ordinary, color=_ORDINARY, linewidth=1.6,
                         label="ordinary tokens, mean" if named else None)  # fmt: skip
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("effect")
        axes.set_ylim(0, 1)
    figure.axes[0].set_ylabel("nDCG@10")
    legend(figure, 4)
    return figure


def _published(results: Results[StickySummary]) -> Figure:
    """Draw validation against shortlist score."""
    figure = new_figure(9.2, 4.0)
    axes = figure.add_subplot()
    sticky = results.where("sticky", True).to_numpy()
    x, y = _column(results, "sticky_score"), _column(results, "validation")
    axes.scatter(x[~sticky], y[~sticky], s=12, color=_ORDINARY, alpha=0.7, linewidths=0, label="validated")
    axes.scatter(x[sticky], y[sticky], s=16, color=_STICKY, linewidths=0, label="above the fence")
    fence = results.summary.validation_fence
    if fence is not None:
        axes.axhline(fence, color=INK, linewidth=0.9, linestyle=_DASHED, label="Q3 + 0.7 IQR")
    axes.set_xlabel("sticky_score")
    axes.set_ylabel("validation: share of cells drawn nearer")
    legend(figure, 3)
    return figure
