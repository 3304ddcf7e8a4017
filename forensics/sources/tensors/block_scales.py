"""Matrices stored in eight bits with the scales apart: FP8 and INT8 checkpoints.

A stored number times its scale is the weight. The scale is one number, one per row, or one per block
(128 x 128 in DeepSeek-V3, arXiv 2412.19437, section 3.3.2); both spellings that are in use,
`weight_scale` and `weight_scale_inv`, hold the factor to multiply by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix

__all__ = ["SCALE_SUFFIXES", "ScaledMatrix", "scale_matrix"]

Float32Array = npt.NDArray[np.float32]

#: What is added to the name of a weight to name its scale.
SCALE_SUFFIXES = ("_scale_inv", "_scale")


@dataclass(frozen=True, eq=False)
class ScaledMatrix:
    """A `(V, d)` matrix that is another one times its scales; implements `RowMatrix`."""

    #: The stored numbers, unscaled.
    stored: RowMatrix
    #: Factors, shape `(ceil(V / block[0]), ceil(d / block[1]))`.
    scales: Float32Array
    #: Rows and columns that share a factor.
    block: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """`(V, d)`."""
        return self.stored.shape

    @property
    def dtype(self) -> str:
        """The dtype as stored."""
        return self.stored.dtype

    def rows(self, start: int, stop: int) -> Float32Array:
        """Read rows `start` to `stop` as float32, scaled."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        return self._scale(self.stored.rows(start, stop), np.arange(start, max(start, stop)))

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Read the rows of `ids` as float32, scaled."""
        return self._scale(self.stored.gather(ids), np.asarray(ids, dtype=np.int64))

    def stored_rows(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Read rows as stored, without their scales."""
        return self.stored.stored_rows(start, stop)

    def _scale(self, rows: Float32Array, ids: npt.NDArray[np.int64]) -> Float32Array:
        factors = self.scales[ids // self.block[0]]  # (n, column blocks)
        with np.errstate(over="ignore", invalid="ignore"):
            rows *= np.repeat(factors, self.block[1], axis=1)[:, : self.shape[1]]
        return rows


def scale_matrix(
    where: str, stored: RowMatrix, scales: Float32Array, block: tuple[int, int] | None
) -> ScaledMatrix:
    """Put a matrix and its scales together.

    :param where: File and tensor, for the message.
    :param stored: The stored numbers, `(V, d)`.
    :param scales: One factor, `(V,)`, `(V, 1)` or a grid of blocks.
    :param block: The block size that the configuration states, if any.
    :return: The scaled matrix.
    :raises BadInputError: If the scales do not tile the matrix.
    """
    grid = scales.reshape(-1, 1) if scales.ndim < 2 else scales
    if grid.ndim == 2 and grid.size:
        for size in (block, _even_block(stored.shape, grid.shape)):
            if size and all(-(-n // b) == g for n, b, g in zip(stored.shape, size, grid.shape, strict=True)):
                return ScaledMatrix(stored, grid, size)
    found = f"scales of shape {list(scales.shape)} do not tile a matrix of shape {list(stored.shape)}"
    raise BadInputError(where, found, "convert the checkpoint to bf16")


def _even_block(shape: tuple[int, int], grid: tuple[int, ...]) -> tuple[int, int]:
    return -(-shape[0] // grid[0]), -(-shape[1] // grid[1])
