"""Render the reports of a folder from its data files, and save a run as such a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.report.files import write_atomically, write_json, write_text
from forensics.report.results import load_results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["render", "save_run"]


def render(folder: Path) -> list[Path]:
    """Write `report.md` (with its `plots/*.png`) and `report.html` from the data files in `folder`.

    Reads `tokens.parquet`, `summary.json` and, if it is there, `manifest.json`, and nothing else.

    :return: The files written, `report.html` first.
    :raises BadInputError: If a data file is missing or damaged.
    :raises OutputError: If a report cannot be written.
    """
    from forensics.report.html import to_html
    from forensics.report.markdown import PLOTS_FOLDER, to_markdown
    from forensics.report.plots import draw_plots
    from forensics.report.sections import build_document

    if (folder / "mixture.json").is_file():
        from forensics.report.mixture import render_mixture

        return render_mixture(folder)
    results = load_results(folder)
    if results.get("kind") == "sticky":
        from forensics.report.sticky import render_sticky

        return render_sticky(folder, results)
    document = build_document(results)
    plots = draw_plots(results)
    pictures = []
    for name, plot in plots.items():
        png = plot.png
        pictures.append(
            write_atomically(folder / PLOTS_FOLDER / f"{name}.png", lambda file, png=png: file.write(png))  # type: ignore[misc]
        )
    return [
        write_text(folder / "report.html", to_html(document, plots)),
        write_text(folder / "report.md", to_markdown(document, plots)),
        *pictures,
    ]


def save_run(
    folder: Path, tokens: pd.DataFrame, summary: Mapping[str, Any], manifest: Mapping[str, Any]
) -> list[Path]:
    """Write a run's data files into `folder`, then the reports that are rendered from them.

    :return: The files written, `report.html` first.
    :raises OutputError: If anything cannot be written.
    """
    from forensics.report.tokens_table import write_tokens

    data = [
        write_tokens(folder / "tokens.parquet", tokens),
        write_json(folder / "manifest.json", manifest),
        # Last of the data: a folder that has a summary has everything the summary speaks of.
        write_json(folder / "summary.json", summary),
    ]
    return [*render(folder), *data]
