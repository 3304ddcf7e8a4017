"""Matrices stored in eight bits with the scales apart: FP8 and INT8 checkpoints.

A stored number, less its zero point where there is one, times its scale is the weight. The scale is
one number, one per row, or one per block (128 x 128 in DeepSeek-V3, arXiv 2412.19437, section 3.3.2);
all spellings in use hold the factor to multiply by, `weight_scale_inv` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix

__all__ = ["SCALE_NAMES", "ZERO_POINT_NAMES", "ScaledMatrix", "scale_matrix"]

Float32Array = npt.NDArray[np.float32]

#: What takes the place of `weight` in the name of its scale.
SCALE_NAMES = ("weight_scale_inv", "weight_scale", "scale_weight", "scale")
#: What takes the place of `weight` in the name of its zero point.
ZERO_POINT_NAMES = ("weight_zero_point",)


@dataclass(frozen=True, eq=False)
class ScaledMatrix:
    """A `(V, d)` matrix that is another one times its scales; implements `RowMatrix`."""

    #: The stored numbers, unscaled.
    stored: RowMatrix
    #: Factors, shape `(ceil(V / block[0]), ceil(d / block[1]))`.
    scales: Float32Array
    #: Rows and columns that share a factor.
    block: tuple[int, int]
    #: What is taken off the stored numbers before scaling, of the shape of `scales`, or None.
    zero_points: Float32Array | None = None

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
        """Read rows as stored, each followed by its scales: equal numbers times others are other rows."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        grid_rows = np.arange(start, max(start, stop)) // self.block[0]
        apart = [grid[grid_rows] for grid in (self.scales, self.zero_points) if grid is not None]
        as_bytes = [np.ascontiguousarray(part).view(np.uint8) for part in apart]
        return np.hstack([self.stored.stored_rows(start, stop), *as_bytes])

    def _scale(self, rows: Float32Array, ids: npt.NDArray[np.int64]) -> Float32Array:
        with np.errstate(over="ignore", invalid="ignore"):
            if self.zero_points is not None:
                rows -= self._spread(self.zero_points, ids)
            rows *= self._spread(self.scales, ids)
        return rows

    def _spread(self, grid: Float32Array, ids: npt.NDArray[np.int64]) -> Float32Array:
        """Return the grid's value for every number of the rows of `ids`, shape `(n, d)`."""
        return np.repeat(grid[ids // self.block[0]], self.block[1], axis=1)[:, : self.shape[1]]


def scale_matrix(
    where: str,
    stored: RowMatrix,
    scales: Float32Array,
    block: tuple[int, int] | None,
    zero_points: Float32Array | None = None,
) -> ScaledMatrix:
    """Put a matrix and its scales together.

    :param where: File and tensor, for the message.
    :param stored: The stored numbers, `(V, d)`.
    :param scales: One factor, `(V,)`, `(V, 1)` or a grid of blocks.
    :param block: The block size that the configuration states, if any.
    :param zero_points: As many as scales, or None.
    :return: The scaled matrix.
    :raises BadInputError: If the scales do not tile the matrix.
    """
    grid = scales.reshape(-1, 1) if scales.ndim < 2 else scales
    if grid.ndim == 2 and grid.size:
        for size in (block, _even_block(stored.shape, grid.shape)):
            if size and all(-(-n // b) == g for n, b, g in zip(stored.shape, size, grid.shape, strict=True)):
                if zero_points is None:
                    return ScaledMatrix(stored, grid, size)
                if zero_points.size == grid.size:
                    return ScaledMatrix(stored, grid, size, zero_points.reshape(grid.shape))
    apart = "scales" if zero_points is None else f"zero points {list(zero_points.shape)} and scales"
    found = f"{apart} of shape {list(scales.shape)} do not tile a matrix of shape {list(stored.shape)}"
    raise BadInputError(where, found, "convert the checkpoint to bf16")


def _even_block(shape: tuple[int, int], grid: tuple[int, ...]) -> tuple[int, int]:
    return -(-shape[0] // grid[0]), -(-shape[1] // grid[1])
