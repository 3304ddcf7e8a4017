"""The model of a membership run, opened at once and loaded only when it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.schema.membership import MembershipOptions
from forensics.sources.interface import Checkpoint, TokenizerSource

__all__ = ["AskedModel", "open_model"]


@dataclass(frozen=True, eq=False)
class AskedModel:
    """A checkpoint with its tokenizer, and the model once it is needed."""

    checkpoint: Checkpoint
    source: TokenizerSource
    options: MembershipOptions
    progress: Progress

    @cached_property
    def model(self) -> Any:
        """The model in evaluation mode."""
        from forensics.sources.runtimes.causal_lm import load_causal_lm

        options = self.options
        with self.progress.stage("load model"):
            return load_causal_lm(
                self.checkpoint, device=options.device, dtype=options.dtype, threads=options.threads
            )

    @cached_property
    def start(self) -> tuple[int, ...]:
        """Ids that the model expects before every text."""
        from forensics.undertrained.prompts import leading_special_ids

        return leading_special_ids(self.source)

    @property
    def rows(self) -> int:
        """Tokens that the model can read: ids below it."""
        return int(self.checkpoint.embedding.shape[0])

    @cached_property
    def window(self) -> int | None:
        """Ids of text that can be read at a time, `start` not counted; None where nothing says."""
        from forensics.sources.runtimes.causal_lm import position_count

        positions = position_count(self.model)
        return None if positions is None else positions - len(self.start)

    def encode(self, text: str) -> npt.NDArray[np.int64]:
        """Return the ids of a text.

        :raises BadInputError: If the model has no row for one of them.
        """
        ids = np.asarray(self.source.encoder.encode(text, add_special_tokens=False).ids, dtype=np.int64)
        if len(ids) and ids.max() >= self.rows:
            found = f"its tokenizer gives the id {ids.max():,}, and its matrix has {self.rows:,} rows"
            raise BadInputError(self.checkpoint.path, found, "name a model whose tokenizer fits it")
        return ids


def open_model(
    model: str | Path,
    tokenizer: str | Path | None,
    options: MembershipOptions,
    offline: bool | None,
    progress: Progress,
) -> AskedModel:
    """Open a model and its tokenizer.

    :raises BadInputError: If either cannot be read.
    """
    from forensics.sources import open_checkpoint, open_tokenizer

    with progress.stage("open"):
        checkpoint = open_checkpoint(model, offline=offline, progress=progress)
        source = open_tokenizer(tokenizer or checkpoint.path, offline=offline, progress=progress)
    return AskedModel(checkpoint, source, options, progress)
