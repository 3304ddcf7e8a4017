"""`forensics sticky`: which tokens distort a text-embedding model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.command import analysis
from forensics.cli.frame.parsing import default_folder
from forensics.schema.sticky import StickyOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


def _folder(model: str) -> Path:
    return default_folder("all-MiniLM-L6-v2" if model == "demo" else model)


@analysis(
    "sticky",
    StickyOptions,
    short_help="Find the tokens that distort a text-embedding model.",
    example="forensics sticky demo --tokens 103,2000-2010 --out results/sticky",
    gate="sticky>0",
    resume=True,
    folder=_folder,
)
def command(model: str, **options: Any) -> Result[Any]:
    """Find the tokens that distort the text-embedding MODEL.

    MODEL is a sentence-transformers folder, an encoder folder with --pooling, a hub id, or `demo`
    (all-MiniLM-L6-v2). Writes tokens.parquet, summary.json, manifest.json, report.md and report.html.
    """
    import forensics as fx

    return fx.find_sticky_tokens(model, **options)
