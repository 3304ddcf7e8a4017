"""Render the reports of a folder from its data files, and save a run as such a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from forensics.files import write_atomically, write_json, write_text
from forensics.report.blocks import Document
from forensics.report.results import Results, load_results
from forensics.schema.record import to_json

if TYPE_CHECKING:
    import pandas as pd

    from forensics.schema.manifest import Manifest

__all__ = ["build_document", "render", "save_run"]


def build_document(results: Results[Any]) -> Document:
    """Return the report of a run; sections that have nothing to say are left out."""
    import forensics
    from forensics.report.kinds import kind_of

    kind = kind_of(results.summary.kind)
    version = results.manifest.get("versions", {}).get("forensics", forensics.__version__)
    return Document(
        title=kind.title(results),
        subtitle=kind.subtitle(results),
        headline=kind.headline(results),
        tiles=kind.tiles(results),
        sections=tuple(section for make in kind.sections if (section := make(results)) is not None),
        made_by=f"forensics {version}",
    )


def render(folder: Path) -> list[Path]:
    """Write `report.html`, `report.md` and its `plots/*.png` from the data files in `folder` alone.

    :return: The files written, `report.html` first.
    :raises BadInputError: If a data file is missing or damaged.
    :raises OutputError: If a report cannot be written.
    """
    from forensics.report.html import to_html
    from forensics.report.kinds import kind_of
    from forensics.report.markdown import PLOTS_FOLDER, to_markdown

    results = load_results(folder)
    document, plots = build_document(results), kind_of(results.summary.kind).plots(results)
    pictures = [
        write_atomically(folder / PLOTS_FOLDER / f"{name}.png", partial(_write, plot.png))
        for name, plot in plots.items()
    ]
    return [
        write_text(folder / "report.html", to_html(document, plots)),
        write_text(folder / "report.md", to_markdown(document, plots)),
        *pictures,
    ]


def _write(data: bytes, file: IO[bytes]) -> None:
    file.write(data)


def save_run(
    folder: Path, kind_name: str, tables: Mapping[str, pd.DataFrame], summary: object, manifest: Manifest
) -> list[Path]:
    """Write a run's data files into `folder`, then the reports that are rendered from them.

    :param folder: Where to.
    :param kind_name: The command.
    :param tables: Its tables, by the names in its schema.
    :param summary: Its summary record.
    :param manifest: Where its numbers come from.
    :return: The files written, `report.html` first.
    :raises OutputError: If anything cannot be written.
    """
    from forensics.report.kinds import kind_of
    from forensics.report.tables import write_csv, write_table

    kind = kind_of(kind_name)
    # The manifest first, because it marks the folder as ours; the summary last: a folder that has one has
    # everything that it speaks of.
    data = [write_json(folder / "manifest.json", manifest)]
    for schema in kind.tables:
        data.append(write_table(folder / f"{schema.name}.parquet", tables[schema.name], schema))
        if schema.name in kind.as_csv:
            data.append(write_csv(folder / f"{schema.name}.csv", tables[schema.name], schema))
    record = to_json(summary)
    if kind.also_as:
        kept = {key: value for key, value in record.items() if key not in kind.also_without}
        data.append(write_json(folder / kind.also_as, kept))
    data.append(write_json(folder / "summary.json", record))
    return [*render(folder), *data]
