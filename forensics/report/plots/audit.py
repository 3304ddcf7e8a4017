"""The plots of an audit: premiums, scripts, the cutting of numbers, residues."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from forensics.report.declared import number
from forensics.report.plots.style import COLOURS, INK, Plot, legend, new_figure, save_plot, style
from forensics.report.results import Results, row_token
from forensics.report.sections.audit.residues import JUDGED
from forensics.report.visible import plain
from forensics.schema.audit_summary import AuditSummary, NumberCuts
from forensics.schema.languages import language_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["draw_plots"]

#: Languages drawn; the table has all.
_MOST_LANGUAGES = 80
#: Scripts with a colour of their own.
_SCRIPTS = 9
#: Points of the residues' plot that are drawn one by one, each with its tip.
_MOST_POINTS = 2_000
_R_RARE = 0.05


def draw_plots(results: Results[AuditSummary]) -> dict[str, Plot]:
    """Return the plots `premium`, `scripts`, `digits` and, where there are merges, `residues`."""
    with style():
        plots = {
            "premium": save_plot("premium", *_premium(results.tables["languages"])),
            "scripts": save_plot("scripts", _scripts(results.summary)),
            "digits": save_plot("digits", _digits(results.summary.numbers)),
        }
        if results.summary.residues is not None:
            plots["residues"] = save_plot("residues", *_residues(results.tables["vocabulary"]))
    return plots


def _premium(languages: pd.DataFrame) -> tuple[Figure, dict[str, list[str]]]:
    """Draw one dot per language with its interval, the dearest on top."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    rows = languages.head(_MOST_LANGUAGES).to_dict("records")
    figure = new_figure(9.2, 1.1 + 0.2 * len(rows))
    axes = figure.add_subplot()
    for at, row in enumerate(rows):
        low, high = (number(row[name]).value for name in ("premium_low", "premium_high"))
        if low is not None and high is not None:
            axes.plot([max(low, 1e-3), high], [at, at], color=INK, linewidth=1.1, zorder=1)
    colour = COLOURS["rejected"]
    faces = ["none" if row["struck"] else colour for row in rows]
    axes.scatter(
        [row["premium"] for row in rows], range(len(rows)), s=26, facecolors=faces, edgecolors=colour,
        linewidths=1.3, zorder=2, gid="languages",
    )  # fmt: skip
    axes.axvline(1, color=INK, linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    least, most = (float(languages["premium"].agg(kind)) for kind in ("min", "max"))
    ticks = [
        tick for tick in (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50) if least / 2 < tick < 2 * most
    ]
    axes.set_xticks(ticks or [1])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(rows)), [language_name(str(row["language"])) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("premium: tokens over those of the reference language (log axis)")
    tips = [f"{row['language']}: {row['premium']:.3f}" for row in rows]
    return figure, {"languages": tips}


def _scripts(summary: AuditSummary) -> Figure:
    """Draw the ids of each script as one stacked bar."""
    counts: Counter[str] = Counter()
    for entry in summary.vocabulary.kinds:
        counts[entry.script or "no text"] += entry.count
    shown = counts.most_common(_SCRIPTS)
    rest = sum(counts.values()) - sum(count for _, count in shown)
    parts = [*shown, ("others", rest)] if rest else shown
    figure = new_figure(9.2, 1.7)
    axes = figure.add_subplot()
    left = 0
    for place, (name, count) in enumerate(parts):
        axes.barh(0, count, left=left, color=_shade(place), height=0.6, label=f"{name} {count:,}")
        left += count
    axes.set_xlim(0, left)
    axes.set_yticks([])
    axes.set_xlabel("ids")
    legend(figure, 5)
    return figure


def _digits(numbers: tuple[NumberCuts, ...]) -> Figure:
    """Draw a strip per length: each way of cutting as wide as its share, its parts spelt out inside."""
    figure = new_figure(9.2, 0.9 + 0.28 * len(numbers))
    axes = figure.add_subplot()
    for at, one in enumerate(numbers):
        left = 0.0
        for place, (pattern, share) in enumerate(one.commonest):
            axes.barh(at, 100 * share, left=100 * left, color=_shade(place), height=0.8, alpha=0.75)
            # A character of this size is about 0.9 % of the width.
            if 100 * share > 0.9 * len(pattern) + 1:
                middle = 100 * (left + share / 2)
                axes.text(middle, at, pattern, ha="center", va="center", fontsize=8)
            left += share
    axes.set_xlim(0, 100)
    axes.set_ylim(len(numbers) - 0.4, -0.6)
    axes.set_yticks(range(len(numbers)), [str(one.digits) for one in numbers])
    axes.set_ylabel("digits")
    axes.set_xlabel("share of random numbers, % (the five commonest ways)")
    return figure


def _residues(vocabulary: pd.DataFrame) -> tuple[Figure, dict[str, list[str]]]:
    """Draw how often tokens are made against the share that stays; single points where few stay."""
    made = vocabulary[vocabulary["created"].fillna(0) > 0]
    created = made["created"].to_numpy(dtype=np.float64)
    stays = made["stays"].to_numpy(dtype=np.float64)
    rare = (created >= JUDGED) & (stays < _R_RARE)
    figure = new_figure(9.2, 4.2)
    axes = figure.add_subplot()
    axes.scatter(created[~rare], stays[~rare], s=4, color=COLOURS["bulk"], alpha=0.4, linewidths=0,
                 rasterized=True, label="tokens that merges make")  # fmt: skip
    single = np.flatnonzero(rare)[:_MOST_POINTS]
    axes.scatter(created[single], stays[single], s=9, color=COLOURS["verified"], linewidths=0,
                 gid="rare", label=f"made {JUDGED} times or more, R below {_R_RARE:g}")  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("times made (log axis)")
    axes.set_ylabel("R, share that stays")
    legend(figure, 2)
    rows = made.iloc[single].to_dict("records")
    return figure, {"rare": [f"{plain(row_token(row))}: made {int(row['created']):,}" for row in rows]}


def _shade(place: int) -> str:
    """Return a colour that its neighbours do not have."""
    cycle = [COLOURS[name] for name in ("rejected", "inconclusive", "reference", "verified", "bulk")]
    return cycle[place % len(cycle)]
