"""Premiums of several tokenizers side by side, as one picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from forensics.auditing.whole import language_name
from forensics.report.plots.style import INK, new_figure, save_plot, style
from forensics.schema.audit_summary import AuditSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_heat_map", "languages_by_premium"]

#: Premiums at the ends of the colour scale; what lies beyond has the colour of the end.
_LEAST, _MOST = 1.0, 16.0
#: Share of the scale above which a cell is dark enough for white letters.
_DARK = 0.62
#: Colours kept of the picture, shades of letters included.
_COLOURS = 160


def languages_by_premium(summaries: Sequence[AuditSummary]) -> list[str]:
    """Return the languages, the one that is dearest in the middle of the tokenizers first.

    A language that is struck somewhere is judged by the others.
    """

    def middle(language: str) -> float:
        entries = [summary.languages.of[language] for summary in summaries]
        return median([each.premium for each in entries if not each.struck] or [0.0])

    return sorted(summaries[0].languages.of, key=lambda language: (-middle(language), language))


def draw_heat_map(summaries: Mapping[str, AuditSummary]) -> bytes:
    """Return a PNG: a row per language, a column per tokenizer, the premium in each cell.

    :param summaries: Name of the column -> its audit, in the order of the columns. All have one text.
    """
    languages = languages_by_premium(list(summaries.values()))
    with style():
        figure = new_figure(1.9 + 0.78 * len(summaries), 1.5 + 0.245 * len(languages))
        axes = figure.add_subplot()
        for column, summary in enumerate(summaries.values()):
            for row, language in enumerate(languages):
                entry = summary.languages.of[language]
                _cell(axes, column, row, entry.premium, struck=entry.struck)
        axes.set_xlim(-0.5, len(summaries) - 0.5)
        axes.set_ylim(len(languages) - 0.5, -0.5)
        axes.xaxis.tick_top()
        axes.set_xticks(
            range(len(summaries)), list(summaries), rotation=40, ha="left", rotation_mode="anchor"
        )
        axes.set_yticks(range(len(languages)), [language_name(each) for each in languages])
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return _smaller(save_plot("heat-map", figure).png)


def _smaller(png: bytes) -> bytes:
    """Return a picture with a palette in place of true colours: a fifth of the size."""
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS).save(made, format="PNG", optimize=True)
    return made.getvalue()


def _cell(axes: Axes, column: int, row: int, premium: float, *, struck: bool) -> None:
    """Draw one premium; one that means nothing is hatched, and has no colour of the scale."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    share = float(np.clip(np.log(premium / _LEAST) / np.log(_MOST / _LEAST), 0.0, 1.0)) if premium else 0.0
    face = "white" if struck else colormaps["YlOrRd"](0.04 + 0.92 * share)
    hatch = "////" if struck else None
    place = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(place, 1, 1, facecolor=face, edgecolor="#c9ced8", hatch=hatch, linewidth=0))
    text = "unknown" if struck else f"{premium:.1f}" if premium >= 9.95 else f"{premium:.2f}"
    ink = "#6b7280" if struck else "white" if share > _DARK else INK
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if struck else None
    axes.text(column, row, text, ha="center", va="center", fontsize=6.5 if struck else 8, color=ink, bbox=box)
