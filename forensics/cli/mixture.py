"""`forensics mixture`: what a tokenizer was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.frame.command import analysis
from forensics.cli.frame.parsing import default_folder
from forensics.errors import BadInputError
from forensics.schema.mixture import MixtureOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


class _Named(click.ParamType[tuple[str, str]]):
    """A category as `NAME=PATH`."""

    name = "category"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return name and path."""
        if isinstance(value, tuple):
            return value
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise BadInputError("--corpus", f"found {value!r}", "write NAME=PATH")
        return name, path


def _folder(tokenizer: str) -> Path:
    plain = default_folder(tokenizer)
    return plain.with_name(f"{plain.name}-mixture")


_CORPUS = click.Option(
    ["--corpus", "named"],
    type=_Named(),
    multiple=True,
    metavar="NAME=PATH",
    help="One more category; may be repeated.",
)


@analysis(
    "mixture",
    MixtureOptions,
    short_help="Infer what a tokenizer was trained on.",
    example="forensics mixture demo --corpora demo --out results/demo-mixture",
    gate="violation>0.5",
    more={"corpora": _CORPUS},
    folder=_folder,
)
def command(tokenizer: str, **options: Any) -> Result[Any]:
    """Infer the proportions of data categories in the training text of TOKENIZER from its merges or pieces.

    TOKENIZER is a BPE, Unigram or WordPiece tokenizer: a model folder or file, a tokenizer.json, a
    SentencePiece .model, a tiktoken rank file, a hub id, or `demo`.
    """
    import forensics as fx

    return fx.infer_mixture(tokenizer, **options)
