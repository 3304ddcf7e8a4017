"""`forensics membership`: whether a model saw texts, or a data set in its order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.frame.command import analysis
from forensics.cli.frame.parsing import default_folder
from forensics.schema.membership import MembershipOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]

_TOKENIZER = click.Option(
    ["--tokenizer"], metavar="TOKENIZER", help="The tokenizer, where MODEL does not bring it."
)


def _folder(model: str) -> Path:
    return Path("results") / f"membership-{default_folder(model).name}"


@analysis(
    "membership",
    MembershipOptions,
    short_help="Ask whether a model saw texts, with controls.",
    example="forensics membership demo --texts a.txt --controls b.txt --out results/membership",
    gate="p<0.001",
    more={"": _TOKENIZER},
    folder=_folder,
)
def command(model: str, **options: Any) -> Result[Any]:
    """Say what the probabilities of MODEL tell of whether it saw a text, and what text alone tells.

    With --texts and --controls (of the same source, known to be unseen): five scores, each with its area
    under the curve and a p-value, beside a classifier that never saw the model. Where that one tells the
    sets apart, there is no conclusion. With --dataset and --order: whether the model prefers the published
    order to random ones, with an exact p; refused where neighbouring lines belong together. What is found
    is evidence that such texts, or this order, were seen; never that one text was in the training data.
    """
    import forensics as fx

    return fx.membership(model, **options)
