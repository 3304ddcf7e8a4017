"""One picture of all mixtures in a folder: stacked bars by group, with intervals where there are any.

    python -m benchmarks.mixture_overview results/mixtures

Reads every NAME.json that `mixture_released` wrote and writes overview.png: one bar per tokenizer, those of
one set of texts together. English is shown apart from the other languages. The whisker at the end of a part
is the interval of that group's share, where tokenizers were simulated for it. An estimate in doubt is drawn
pale.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.report.plots.style import COLOURS, INK, new_figure, save_plot, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Part -> its colour, in the order in which the parts are stacked.
PARTS = {
    "English": COLOURS["rejected"],
    "other languages": COLOURS["reference"],
    "code": COLOURS["inconclusive"],
}
#: What ends the names of the mixtures of one set of texts -> what that set is.
TEXTS = {
    "-wide": "70 languages, 30 of code, 5 with line ends of Windows, eight kinds of English",
    "-full": "63 languages of FLORES, 29 of code, six kinds of English",
    "": "embedded demo text",
}


@dataclass(frozen=True)
class Bar:
    """One tokenizer."""

    name: str
    shares: Mapping[str, float]
    #: Part -> low and high, where known.
    intervals: Mapping[str, tuple[float, float]]
    reliable: bool
    #: What ends its name, see `TEXTS`.
    text: str


def main() -> None:
    """Read, draw and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    bars = [bar for file in sorted(folder.glob("*.json")) if (bar := read_bar(file))]
    with style():
        plot = save_plot("overview", _figure(bars))
    (folder / "overview.png").write_bytes(plot.png)
    print(f"{len(bars)} mixtures: {folder / 'overview.png'}")


def read_bar(file: Path) -> Bar | None:
    """Return the bar of one mixture, None where its categories are not in groups."""
    summary = json.loads(file.read_text(encoding="utf-8"))
    if not all("/" in category for category in summary["proportions"]):
        return None
    shares = dict.fromkeys(PARTS, 0.0)
    for category, share in summary["proportions"].items():
        shares[part_of(category)] += share
    known = summary.get("group_interval") or {}
    # Where English is a group of its own, the other languages end where code begins.
    groups = (
        {"English": "english", "other languages": "languages"} if "english" in known else {"code": "code"}
    )
    intervals = {part: tuple(known[group]) for part, group in groups.items() if group in known}
    english = (summary.get("interval") or {}).get("languages/en")
    if english and "English" not in intervals:
        intervals["English"] = tuple(english)
    text = next(ending for ending in TEXTS if file.stem.endswith(ending))
    return Bar(file.stem.removesuffix(text), shares, intervals, summary["reliable"], text)


def part_of(category: str) -> str:
    """Return which part of a bar a category belongs to."""
    group, _, name = category.partition("/")
    if group == "english" or name == "en":
        return "English"
    return "other languages" if group == "languages" else "code"


def _figure(bars: Sequence[Bar]) -> Figure:
    sets = {text: [bar for bar in bars if bar.text == text] for text in TEXTS}
    shown = {text: chosen for text, chosen in sets.items() if chosen}
    figure = new_figure(9.2, 1.8 + 0.36 * (len(bars) + len(shown)))
    heights = [len(chosen) for chosen in shown.values()]
    panels = figure.subplots(len(shown), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (text, chosen) in zip(panels, shown.items(), strict=True):
        _panel(axes, sorted(chosen, key=lambda bar: -bar.shares["English"]), TEXTS[text])
    panels[-1].set_xlabel("share of the training text, % of bytes")
    panels[0].legend(loc="lower left", bbox_to_anchor=(0, 1.3), ncols=len(PARTS), fontsize=9)
    return figure


def _panel(axes: Axes, bars: Sequence[Bar], title: str) -> None:
    for at, bar in enumerate(bars):
        start = 0.0
        for part, colour in PARTS.items():
            share = 100 * bar.shares[part]
            alpha = 1.0 if bar.reliable else 0.4
            axes.barh(
                at, share, left=start, color=colour, height=0.7, alpha=alpha, label=part if at == 0 else None
            )
            if share >= 4:
                axes.text(start + share / 2, at, f"{share:.0f}", ha="center", va="center", fontsize=8)
            if part in bar.intervals:
                low, high = (100 * end for end in bar.intervals[part])
                # The left end of the last part is what its interval moves.
                ends = (100 - high, 100 - low) if part == "code" else (start + low, start + high)
                axes.plot(ends, [at, at], color=INK, linewidth=1.4)
            start += share
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_title(title, loc="left", fontsize=9.5)


if __name__ == "__main__":
    main()
