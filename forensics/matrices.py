"""Matrices whose rows are read on demand: what a checkpoint offers and the analyses consume.

A `RowMatrix` is a `(V, d)` matrix of which only blocks are ever in memory, always as float32, so a
70-billion-parameter checkpoint costs the memory of a small one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayMatrix", "RowMatrix", "block_rows", "blocks"]

Float32Array = npt.NDArray[np.float32]

#: Bytes of float32 that one block may hold. Larger blocks were not faster in
#: benchmarks/weight_scan.py: the matrix products are already bound by memory bandwidth.
BLOCK_BYTES = 64 * 2**20


@runtime_checkable
class RowMatrix(Protocol):
    """A `(V, d)` matrix of which rows are read on demand."""

    @property
    def shape(self) -> tuple[int, int]:
        """`(V, d)`."""
        ...

    @property
    def dtype(self) -> str:
        """The dtype as stored, e.g. ``BF16`` or ``Q8_0``."""
        ...

    def rows(self, start: int, stop: int) -> Float32Array:
        """Read rows `start` to `stop` as float32, shape `(stop - start, d)`."""
        ...

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Read the rows of `ids`, in that order, as float32, shape `(len(ids), d)`."""
        ...

    def stored_rows(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Read rows as the bytes that stand in the file, shape `(stop - start, bytes per row)`."""
        ...


def block_rows(matrix: RowMatrix, budget: int = BLOCK_BYTES) -> int:
    """Return how many rows of `matrix` fit in `budget` bytes of float32 (at least one)."""
    return max(1, budget // (4 * max(1, matrix.shape[1])))


def blocks(matrix: RowMatrix, budget: int = BLOCK_BYTES) -> Iterator[tuple[int, Float32Array]]:
    """Yield `(first row, float32 block)` over all rows of `matrix`, in order."""
    step = block_rows(matrix, budget)
    for start in range(0, matrix.shape[0], step):
        yield start, matrix.rows(start, min(start + step, matrix.shape[0]))


@dataclass(frozen=True, eq=False)
class ArrayMatrix:
    """A matrix that is in memory already, behind the same interface."""

    #: The values, shape `(V, d)`, any float dtype.
    array: npt.NDArray[np.floating]

    @property
    def shape(self) -> tuple[int, int]:
        """`(V, d)`."""
        return self.array.shape[0], self.array.shape[1]

    @property
    def dtype(self) -> str:
        """The dtype in safetensors' spelling, e.g. ``F32``."""
        return f"F{8 * self.array.dtype.itemsize}"

    def rows(self, start: int, stop: int) -> Float32Array:
        """Return rows `start` to `stop` as float32."""
        return np.asarray(self.array[start:stop], dtype=np.float32)

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Return the rows of `ids` as float32."""
        return np.asarray(self.array[np.asarray(ids, dtype=np.int64)], dtype=np.float32)

    def stored_rows(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return the bytes of rows `start` to `stop`."""
        part = np.ascontiguousarray(self.array[start:stop])
        return part.view(np.uint8).reshape(len(part), -1)
