"""`forensics compare`: tokenizers, checkpoints or finished scans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli.frame.command import analysis
from forensics.cli.frame.parsing import default_folder
from forensics.schema.compare import CompareOptions

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["command"]


def _folder(*compared: str) -> Path:
    names = "-".join(default_folder(each).name for each in compared[:2])
    more = f"-and-{len(compared) - 2}-more" if len(compared) > 2 else ""
    return Path("results") / f"compare-{names}{more}"


@analysis(
    "compare",
    CompareOptions,
    short_help="Put tokenizers, checkpoints or finished scans side by side.",
    example="forensics compare demo other/tokenizer.json --out results/compared",
    gate="only_a>0",
    seed=False,
    folder=_folder,
    metavar="A B [C ...]",
)
def command(*compared: str, **options: Any) -> Result[Any]:
    """Say what A has that B (and C, ...) lack, and the reverse, who descends from whom, and what text costs.

    A and the others are tokenizers or checkpoints (a model folder or file, a tokenizer.json, a SentencePiece
    .model, a tiktoken rank file, a .gguf, a hub id, or `demo`), or folders that `forensics scan` wrote. Each
    is compared with A. A GGUF file beside another kind is asked whether it still is the other's tokenizer.
    """
    import forensics as fx

    return fx.compare(*compared, **options)
