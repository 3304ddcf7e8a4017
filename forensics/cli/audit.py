"""`forensics audit`: whether a tokenizer is sound, fair and safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.cli.frame.command import analysis
from forensics.cli.frame.many import several
from forensics.schema.audit import AuditOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


@several
@analysis(
    "audit",
    AuditOptions,
    short_help="Examine a tokenizer: cost per language, soundness, template.",
    example="forensics audit demo --out results/demo-audit",
    gate="median_premium>5",
)
def command(tokenizer: str, **options: Any) -> Result[Any]:
    """Examine TOKENIZER: cost per language, soundness, special tokens, chat template, numbers, residues.

    TOKENIZER is a model folder or file, a tokenizer.json, a SentencePiece .model, a tiktoken rank file,
    a folder with vocab.json and merges.txt, a hub id, or `demo`. Chat templates are parsed, never rendered.
    """
    import forensics as fx

    return fx.audit(tokenizer, **options)
