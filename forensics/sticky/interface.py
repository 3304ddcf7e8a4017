"""What the analyses need: an embedding model (`sources.runtimes.text_encoder` has one) and a memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "Float32Array", "Float64Array", "Keep", "Recall", "TokenIds"]

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
#: Content ids of one text, without the special tokens around it.
TokenIds = tuple[int, ...]
#: Looks up what an interrupted run kept under a key, None if there is nothing.
Recall = Callable[[str], Any]
#: Keeps a JSON value under its key.
Keep = Callable[[str, Any], None]


class Encoder(Protocol):
    """Turns token ids into unit vectors."""

    @property
    def path(self) -> Path:
        """What the user named, for errors."""
        ...

    @property
    def window(self) -> int:
        """The most content ids of a text."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[TokenIds]:
        """Return the content ids of each text, cut to the window."""
        ...

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the number of content ids of each text before it is cut."""
        ...

    def embed(self, contents: Sequence[Sequence[int]]) -> Float32Array:
        """Return one unit vector per text, `(n, d)`."""
        ...
