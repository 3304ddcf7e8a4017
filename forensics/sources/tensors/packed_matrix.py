"""Matrices of which several numbers share a byte, with their factors apart: four bits and fewer.

The definitions followed:

- E2M1 with a factor per 16 (NVFP4) or 32 numbers (MXFP4): OCP Microscaling Formats 1.0, table 5; the
  first number of a byte stands in its low half.
- bitsandbytes 4-bit (Dettmers et al. 2023, arXiv 2305.14314, section 3): an index into 16 values, the
  first in the high half, times the largest absolute value of its block of the flattened matrix.
- MLX affine: integers of 2 to 8 bits, a little-endian stream of bits per row, times a scale plus a bias
  per group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix
from forensics.sources.tensors.stored_matrix import StoredMatrix

__all__ = ["E2M1", "FlatBlocks", "PackedMatrix", "Unpack", "affine_rows", "table_rows"]

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]
#: Packed bytes (n, bytes per row) and the rows of every factor, (n, groups), to float32 (n, d).
Unpack = Callable[[UInt8Array, Sequence[Float32Array]], Float32Array]

#: The 16 values of a sign, two bits of exponent and one of fraction.
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class PackedMatrix:
    """A `(V, d)` matrix as packed rows and factors; implements `RowMatrix`."""

    #: `(V, d)`, unpacked.
    shape: tuple[int, int]
    #: Name of the packing, as reports show it.
    dtype: str
    #: The packed rows.
    packed: StoredMatrix
    #: Factors, each with one row per row of the matrix.
    factors: tuple[RowMatrix, ...]
    #: Puts the two together.
    unpack: Unpack

    def rows(self, start: int, stop: int) -> Float32Array:
        """Read rows `start` to `stop` as float32."""
        packed = self.packed.stored_rows(start, stop)
        return self.unpack(packed, [factor.rows(start, stop) for factor in self.factors])

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Read the rows of `ids` as float32."""
        return self.unpack(self.packed.gather_stored(ids), [factor.gather(ids) for factor in self.factors])

    def stored_rows(self, start: int, stop: int) -> UInt8Array:
        """Read rows as stored, each followed by its factors: equal codes times others are other rows."""
        factors = [factor.stored_rows(start, stop) for factor in self.factors]
        return np.hstack([self.packed.stored_rows(start, stop), *factors])


@dataclass(frozen=True, eq=False)
class FlatBlocks:
    """One factor per run of numbers of the flattened matrix, as a `(V, d)` matrix of factors."""

    #: `(V, d)`.
    shape: tuple[int, int]
    #: Factors, shape `(ceil(V d / block),)`.
    values: Float32Array
    #: Numbers in a run.
    block: int
    #: As stored.
    dtype: str = "F32"

    def rows(self, start: int, stop: int) -> Float32Array:
        """Return the factors of rows `start` to `stop`."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        return self.gather(np.arange(start, max(start, stop)))

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Return the factors of the rows of `ids`."""
        first = np.asarray(ids, dtype=np.int64)[:, None] * self.shape[1]
        return self.values.take((first + np.arange(self.shape[1])) // self.block)

    def stored_rows(self, start: int, stop: int) -> UInt8Array:
        """Return the bytes of the factors of rows `start` to `stop`."""
        return self.rows(start, stop).view(np.uint8)


def table_rows(table: Float32Array, *, is_high_first: bool = False, overall: float = 1.0) -> Unpack:
    """Return how rows of two indices a byte, times one factor per group, are unpacked.

    :param table: The 16 values.
    :param is_high_first: Whether the first number stands in the high half of its byte.
    :param overall: One more factor, of the whole matrix.
    """
    low, high = table[np.arange(256) & 15], table[np.arange(256) >> 4]
    pairs = np.stack([high, low] if is_high_first else [low, high], axis=1) * np.float32(overall)  # (256, 2)

    def unpack(packed: UInt8Array, factors: Sequence[Float32Array]) -> Float32Array:
        rows = pairs[packed].reshape(len(packed), -1)  # (n, d)
        return _times(rows, factors[0])

    return unpack


def affine_rows(bits: int) -> Unpack:
    """Return how rows of integers of `bits` bits, times a scale plus a bias per group, are unpacked."""
    weights = np.left_shift(1, np.arange(bits)).astype(np.float32)

    def unpack(packed: UInt8Array, factors: Sequence[Float32Array]) -> Float32Array:
        if bits == 8:
            codes = packed.astype(np.float32)
        elif bits == 4:
            codes = np.stack([packed & 15, packed >> 4], axis=2).reshape(len(packed), -1).astype(np.float32)
        else:
            stream = np.unpackbits(packed, axis=1, bitorder="little")
            codes = stream.reshape(len(packed), -1, bits) @ weights
        scales, biases = factors
        group = codes.shape[1] // scales.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            return _times(codes, scales) + np.repeat(biases, group, axis=1)

    return unpack


def _times(rows: Float32Array, factors: Float32Array) -> Float32Array:
    """Multiply every group of a row by its factor, in place."""
    groups = rows.reshape(len(rows), factors.shape[1], -1)
    with np.errstate(over="ignore", invalid="ignore"):
        groups *= factors[:, :, None]
    return rows
