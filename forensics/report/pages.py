"""Write the two forms of a document, and its plots, into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from forensics.files import write_atomically, write_text
from forensics.report.blocks import Document

if TYPE_CHECKING:
    from forensics.report.plot_style import Plot

__all__ = ["write_pages"]


def write_pages(folder: Path, document: Document, plots: Mapping[str, Plot]) -> list[Path]:
    """Write `report.html`, `report.md` and `plots/NAME.png`; return the files, `report.html` first.

    :raises OutputError: If anything cannot be written.
    """
    from forensics.report.html import to_html
    from forensics.report.markdown import PLOTS_FOLDER, to_markdown

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
