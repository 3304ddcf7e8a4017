"""`forensics repair`: neutral rows for the tokens that a scan found untrained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.frame.command import analysis
from forensics.cli.frame.parsing import default_folder
from forensics.schema.repair import RepairOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]

_FROM = click.Option(
    ["--from", "scan"],
    required=True,
    metavar="SCAN",
    help="The folder of a finished scan of the same rows.",
)
_TOKENIZER = click.Option(
    ["--tokenizer"], metavar="TOKENIZER", help="The tokenizer, where MODEL does not bring it."
)


def _folder(model: str) -> Path:
    name = default_folder(model).name
    return Path("results") / f"repair-{name}"


@analysis(
    "repair",
    RepairOptions,
    short_help="Put neutral rows in place of untrained ones.",
    example="forensics repair path/to/model --from results/model --out results/repaired --write",
    gate="perplexity_rise>0.1",
    seed=False,
    more={"": _FROM, "write": _TOKENIZER},
    folder=_folder,
)
def command(model: str, **options: Any) -> Result[Any]:
    """Put neutral rows in place of those that a scan found untrained, if MODEL does not notice.

    MODEL is a folder of safetensors files or a hub id. Replaced are tokens that the scan verified and that
    ordinary text does not clear, with all rows identical to them; never special tokens or those in a role.
    Nothing is written but the report, unless asked for by --write, and then only if the guard (perplexity,
    probability on the rows, likeliest tokens, on ordinary text) lets it pass. The model appears in DIR/model,
    every other byte as it was. Such a row makes no token known: it makes it harmless, and trainable.
    """
    import forensics as fx

    return fx.repair(model, **options)
