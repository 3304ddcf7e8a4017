"""What the analyses need of an embedding model; `forensics.sources.text_encoder` is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "Float32Array", "Float64Array", "TokenIds"]

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
#: Content ids of one text, without the special tokens around it.
TokenIds = tuple[int, ...]


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

    def embed(self, contents: Sequence[Sequence[int]]) -> Float32Array:
        """Return one unit vector per text, `(n, d)`."""
        ...
