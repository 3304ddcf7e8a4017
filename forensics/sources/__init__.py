"""Everything that opens files: one module per format.

`open_checkpoint` and `open_tokenizer` are all that the rest of the package needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.sources.checkpoints.checkpoint import open_checkpoint
    from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

__all__ = ["open_checkpoint", "open_tokenizer"]


def __getattr__(name: str) -> Any:
    # Late, so that `import forensics` stays in the tens of milliseconds.
    if name == "open_checkpoint":
        from forensics.sources.checkpoints.checkpoint import open_checkpoint

        return open_checkpoint
    if name == "open_tokenizer":
        from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

        return open_tokenizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
