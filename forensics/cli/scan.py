"""`forensics scan`: which tokens of a model are under-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forensics.cli.frame.command import analysis
from forensics.cli.frame.many import several
from forensics.schema.scan import ScanOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]

_TOKENIZER = click.Option(
    ["--tokenizer"], metavar="TOKENIZER", help="The tokenizer, where MODEL does not bring it."
)


@several
@analysis(
    "scan",
    ScanOptions,
    short_help="Find the under-trained tokens of a model.",
    example="forensics scan demo --candidates 0.5 --out results/demo",
    gate="verified>100",
    resume=True,
    more={"": _TOKENIZER},
)
def command(model: str, **options: Any) -> Result[Any]:
    """Find the under-trained tokens of MODEL.

    MODEL is a folder in Hugging Face layout, a .safetensors, .gguf or .bin file, a hub id, or `demo`.
    Writes tokens.parquet, summary.json, manifest.json, report.md and report.html into the --out folder.
    """
    import forensics as fx

    return fx.scan(model, **options)
