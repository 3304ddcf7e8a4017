"""`forensics tokens`: a vocabulary alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.cli.frame.command import analysis
from forensics.cli.frame.many import several
from forensics.schema.tokens import TokensOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


@several
@analysis(
    "tokens",
    TokensOptions,
    short_help="Examine a vocabulary alone, without weights.",
    example="forensics tokens demo --out results/demo-tokens",
    gate="unreachable>0",
    seed=False,
)
def command(tokenizer: str, **options: Any) -> Result[Any]:
    """Examine the vocabulary of TOKENIZER: categories, bytes, scripts, merge problems.

    TOKENIZER is a model folder or file, a tokenizer.json, a SentencePiece .model, a tiktoken rank file,
    a folder with vocab.json and merges.txt, a hub id, or `demo`.
    """
    import forensics as fx

    return fx.tokens(tokenizer, **options)
