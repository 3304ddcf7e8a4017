"""How the plots of this project look, and how they are saved: SVG for the page, PNG for markdown.

Colours are middle tones that stand on white and on near-black; everything that is ink (axes, text) is
drawn in one marker colour that the SVG replaces by `currentColor`, so a page in dark mode recolours its
plots. Nothing depends on the clock or on chance: the same tables give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "Plot", "legend", "new_figure", "save_plot", "style"]

#: Axes and text; a colour nothing else uses, replaced by `currentColor` in the SVG.
INK = "#1b1e25"
COLOURS = {
    "verified": "#d64550",
    "inconclusive": "#d98a1f",
    "rejected": "#4c84c4",
    "reference": "#1f9d8a",
    "bulk": "#8b93a3",
}


@dataclass(frozen=True)
class Plot:
    """One plot in both forms."""

    #: Without XML prologue, width or height: fit to stand inside a page.
    svg: str
    png: bytes
    #: Group id in the SVG -> one line of text per point, in drawing order.
    tips: Mapping[str, list[str]] = field(default_factory=dict)


@contextmanager
def style() -> Iterator[None]:
    """Set what makes a plot look like this project's, and only while drawing."""
    import matplotlib as mpl

    mpl.use("Agg", force=False)
    settings: Any = {
        "svg.hashsalt": "forensics",  # element ids from this word instead of from chance
        "svg.fonttype": "none",  # text stays text: it takes the page's font and can be selected
        "font.family": "sans-serif",
        "font.size": 9.5,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "legend.frameon": False,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
    }
    with mpl.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that is known to no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def legend(figure: Figure, columns: int) -> None:
    """Put the legend above the axes."""
    figure.legend(loc="outside upper left", ncols=columns, fontsize=9)


def save_plot(name: str, figure: Figure, tips: Mapping[str, list[str]] | None = None) -> Plot:
    """Return a figure in both forms, with the tips of its points."""
    svg = io.BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None}, dpi=170)
    figure.set_layout_engine("none")  # the layout is done; the PNG keeps it
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=130, facecolor="white", metadata={"Software": None})
    return Plot(_for_page(name, svg.getvalue().decode("utf-8")), png.getvalue(), tips or {})


def _for_page(name: str, svg: str) -> str:
    """Return the SVG fit to stand inside a page beside others: scalable, recoloured, its ids its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Inside HTML the namespaces are implied; without them the page names no address at all.
    svg = re.sub(r'\s+xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace(INK, "currentColor")
    prefix: Callable[[re.Match[str]], str] = lambda found: f"{found[1]}{name}-{found[2]}"  # noqa: E731
    for pattern in (r'(\bid=")([^"]+)', r'(href="#)([^"]+)', r"(url\(#)([^)]+)"):
        svg = re.sub(pattern, prefix, svg)
    return svg.strip()
