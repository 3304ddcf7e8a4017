"""The tokenizer's part of a GGUF file's metadata (`tokenizer.ggml.*`), checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.interface import AddedToken

__all__ = ["GGUFTokenizer", "check_metadata"]

# llama.cpp's llama_token_type.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, eq=False)
class GGUFTokenizer:
    """The tokenizer's part of the metadata, checked."""

    path: Path
    kind: str
    #: llama.cpp's name of the pre-tokenizer, or None.
    pre: str | None
    pieces: tuple[str | None, ...]
    #: llama_token_type by id.
    types: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32] | None
    merges: tuple[tuple[str, str], ...]
    values: Mapping[str, Any]

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean entry."""
        return bool(self.values.get(f"tokenizer.ggml.{key}", default))

    def of_type(self, *types: int) -> list[int]:
        """Return the ids of these token types."""
        return [int(token_id) for token_id in np.flatnonzero(np.isin(self.types, types))]

    def added_tokens(self) -> tuple[AddedToken, ...]:
        """Return the tokens that llama.cpp cuts out of the text before anything else."""
        special = {UNKNOWN, CONTROL}
        return tuple(
            AddedToken(token_id, piece, int(self.types[token_id]) in special, "tokenizer.ggml.token_type")
            for token_id in self.of_type(UNKNOWN, CONTROL, USER_DEFINED)
            if (piece := self.pieces[token_id])
        )

    def unk_id(self) -> int:
        """Return the id of the unknown token: as stated, else by its type, else 0."""
        stated = self.values.get("tokenizer.ggml.unknown_token_id")
        if isinstance(stated, int) and 0 <= stated < len(self.pieces):
            return stated
        return next(iter(self.of_type(UNKNOWN)), 0)

    def unk(self) -> str | None:
        """Return the piece of the unknown token."""
        return self.pieces[self.unk_id()]


def check_metadata(path: Path, values: Mapping[str, Any]) -> GGUFTokenizer:
    """Return the tokenizer's metadata.

    :param path: The file, for errors.
    :param values: All its metadata.
    :raises BadInputError: If there is no tokenizer, or one whose parts are of the wrong kind or length.
    """
    kind, tokens = values.get("tokenizer.ggml.model"), values.get("tokenizer.ggml.tokens")
    if not isinstance(kind, str) or not isinstance(tokens, list) or not tokens:
        raise BadInputError(
            path, "no tokenizer in the metadata", "give the model's tokenizer as a file of its own"
        )
    if not all(isinstance(token, str) for token in tokens):
        raise BadInputError(path, "tokenizer.ggml.tokens is not a list of strings", "the file is damaged")
    types = _numbers(path, values, "token_type", len(tokens))
    scores = _numbers(path, values, "scores", len(tokens))
    pre = values.get("tokenizer.ggml.pre")
    return GGUFTokenizer(
        path=path,
        kind=kind,
        pre=pre if isinstance(pre, str) else None,
        pieces=tuple(tokens),
        types=np.full(len(tokens), NORMAL) if types is None else types.astype(np.int64),
        scores=None if scores is None else scores.astype(np.float32),
        merges=_merges(path, values.get("tokenizer.ggml.merges")),
        values=values,
    )


def _numbers(path: Path, values: Mapping[str, Any], key: str, count: int) -> npt.NDArray[Any] | None:
    """Return an array with one number per token, or None if the file has none."""
    given = values.get(f"tokenizer.ggml.{key}")
    if given is None:
        return None
    if not isinstance(given, np.ndarray) or given.shape != (count,) or given.dtype.kind not in "iuf":
        found = f"tokenizer.ggml.{key} is not a list of {count:,} numbers, one per token"
        raise BadInputError(path, found, "the file is damaged")
    if not np.isfinite(given).all():
        raise BadInputError(path, f"tokenizer.ggml.{key} holds NaN or infinity", "the file is damaged")
    return given


def _merges(path: Path, given: Any) -> tuple[tuple[str, str], ...]:
    """Return the merges; the first space after the first character parts the two pieces."""
    merges = []
    for merge in given if isinstance(given, list) else ():
        cut = merge.find(" ", 1) if isinstance(merge, str) else -1
        if cut < 0 or cut == len(merge) - 1:
            raise BadInputError(path, f"tokenizer.ggml.merges holds {merge!r}", "the file is damaged")
        merges.append((merge[:cut], merge[cut + 1 :]))
    return tuple(merges)
