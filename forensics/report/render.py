"""Render the reports of a folder from its data files, and save a run as such a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.files import write_json
from forensics.report.pages import write_pages
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
    from forensics.report.plots import draw_plots
    from forensics.report.sections import build_document

    if (folder / "mixture.json").is_file():
        from forensics.report.mixture import render_mixture

        return render_mixture(folder)
    results = load_results(folder)
    if results.get("kind") == "sticky":
        from forensics.report.sticky import render_sticky

        return render_sticky(folder, results)
    return write_pages(folder, build_document(results), draw_plots(results))


def save_run(
    folder: Path, tokens: pd.DataFrame, summary: Mapping[str, Any], manifest: Mapping[str, Any]
) -> list[Path]:
    """Write a run's data files into `folder`, then the reports that are rendered from them.

    :return: The files written, `report.html` first.
    :raises OutputError: If anything cannot be written.
    """
    from forensics.report.sticky_table import write_sticky_tokens
    from forensics.report.tokens_table import write_tokens

    write = write_sticky_tokens if summary.get("kind") == "sticky" else write_tokens
    data = [
        write(folder / "tokens.parquet", tokens),
        write_json(folder / "manifest.json", manifest),
        # Last of the data: a folder that has a summary has everything the summary speaks of.
        write_json(folder / "summary.json", summary),
    ]
    return [*render(folder), *data]
