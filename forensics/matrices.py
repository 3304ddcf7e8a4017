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

__all__ = [
    "KEPT_BYTES",
    "ArrayMatrix",
    "KeptMatrix",
    "RowMatrix",
    "block_rows",
    "blocks",
    "centred_blocks",
    "is_kept",
    "keep_within",
]

Float32Array = npt.NDArray[np.float32]

#: Bytes of float32 up to which a matrix is decoded once and kept for all passes. A vocabulary of
#: 151,936 rows of 896 takes 545 MB, and a scan of it stays under 1 GB (benchmarks/weight_scan.py).
KEPT_BYTES = 600 * 2**20
#: Bytes of float32 in one block of a matrix of that size. Changing it moves the last digits of sums
#: over blocks, and with them those of published tables.
KEPT_BLOCK_BYTES = 64 * 2**20
#: Bytes of float32 in one block of a larger matrix, which is decoded anew in every pass. A block that
#: stays in the processor's cache is decoded and centred at a fifth of the cost: of 32,064 x 8,192
#: bf16, 0.98 CPU-s in blocks of 64 MB, 0.20 in blocks of 4 MB, 0.14 in blocks of 2 MB.
STREAMED_BLOCK_BYTES = 4 * 2**20


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


def block_rows(matrix: RowMatrix, budget: int | None = None) -> int:
    """Return how many rows of `matrix` make one block (at least one).

    :param matrix: The matrix, shape `(V, d)`.
    :param budget: Bytes of float32 in a block; None: by the size of the matrix.
    """
    if budget is None:
        budget = KEPT_BLOCK_BYTES if is_kept(matrix) else STREAMED_BLOCK_BYTES
    return max(1, budget // (4 * max(1, matrix.shape[1])))


def is_kept(matrix: RowMatrix) -> bool:
    """Return whether a matrix is small enough to be decoded once and kept, and not anew in every pass."""
    return _float32_bytes(matrix) <= KEPT_BYTES


def blocks(matrix: RowMatrix, budget: int | None = None) -> Iterator[tuple[int, Float32Array]]:
    """Yield `(first row, float32 block)` over all rows of `matrix`, in order.

    A block may be a view of the caller's own memory and is not to be written to.
    """
    step = block_rows(matrix, budget)
    for start in range(0, matrix.shape[0], step):
        yield start, matrix.rows(start, min(start + step, matrix.shape[0]))


def centred_blocks(
    matrix: RowMatrix, mean_row: Float32Array
) -> Iterator[tuple[int, Float32Array, Float32Array]]:
    """Yield `(first row, float32 block, block minus mean row)` over all rows of `matrix`, in order.

    The third is one array that every block overwrites: a new one of this size costs its pages anew.
    """
    buffer = np.empty((min(block_rows(matrix), matrix.shape[0]), matrix.shape[1]), dtype=np.float32)
    for start, block in blocks(matrix):
        with np.errstate(invalid="ignore", over="ignore"):
            yield start, block, np.subtract(block, mean_row, out=buffer[: len(block)])


def keep_within(budget: int, *matrices: RowMatrix) -> list[RowMatrix]:
    """Return the matrices, those behind a `KeptMatrix` that together fit `budget` as float32.

    :param budget: Bytes of float32 that may be kept.
    :param matrices: The first are preferred; one that is named twice is kept once and stays one object.
    """
    kept: dict[int, RowMatrix] = {}
    for matrix in matrices:
        size = _float32_bytes(matrix)
        if id(matrix) not in kept and size <= budget and not isinstance(matrix, ArrayMatrix | KeptMatrix):
            kept[id(matrix)] = KeptMatrix(matrix)
            budget -= size
    return [kept.get(id(matrix), matrix) for matrix in matrices]


def _float32_bytes(matrix: RowMatrix) -> int:
    return 4 * matrix.shape[0] * matrix.shape[1]


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


class KeptMatrix:
    """A matrix whose rows are decoded once, when they are first asked for, and then kept.

    Implements `RowMatrix`, with the same numbers as the matrix behind it.
    """

    def __init__(self, source: RowMatrix) -> None:
        """Keep the rows of `source`; nothing is read yet."""
        self._source = source
        self._decoded = np.empty(source.shape, dtype=np.float32)
        self._is_decoded = np.zeros(source.shape[0], dtype=bool)

    @property
    def shape(self) -> tuple[int, int]:
        """`(V, d)`."""
        return self._source.shape

    @property
    def dtype(self) -> str:
        """The dtype as stored."""
        return self._source.dtype

    def rows(self, start: int, stop: int) -> Float32Array:
        """Return rows `start` to `stop` as a read-only view of what is kept."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        if not self._is_decoded[start:stop].all():
            step = block_rows(self, STREAMED_BLOCK_BYTES)
            for first in range(start, stop, step):
                last = min(first + step, stop)
                self._decoded[first:last] = self._source.rows(first, last)
            self._is_decoded[start:stop] = True
        view = self._decoded[start:stop]
        view.flags.writeable = False
        return view

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Return a copy of the rows of `ids`."""
        wanted = np.asarray(ids, dtype=np.int64).reshape(-1)
        missing = wanted[~self._is_decoded[wanted]] if _are_rows(wanted, self.shape[0]) else wanted
        if missing.size:
            missing = np.unique(missing)
            self._decoded[missing] = self._source.gather(missing)  # raises where an id is no row
            self._is_decoded[missing] = True
        return self._decoded[wanted]

    def stored_rows(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Read rows as the bytes that stand in the file."""
        return self._source.stored_rows(start, stop)


def _are_rows(ids: npt.NDArray[np.int64], V: int) -> bool:
    return ids.size == 0 or (ids.min() >= 0 and ids.max() < V)
