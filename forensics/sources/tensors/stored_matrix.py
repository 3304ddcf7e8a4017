"""A matrix that stands in a file: where, in which numbers, and its rows as float32 on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.number_formats import Decoder

__all__ = ["Extent", "StoredMatrix"]

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]

#: Rows that `gather` touches before it gives their pages back. The kernel maps up to 2 MB for each
#: row touched: 1,024 scattered rows of a 4 GB file cost 1 GB of resident memory without this.
GATHER_ROWS = 32
#: Bytes of float32 that are decoded at once. A block decoder's fixed cost is that of thousands of
#: numbers, and its scratch arrays stay in the processor's cache at this size.
DECODE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Extent:
    """Where one tensor stands in its file and how to read it."""

    #: What the file says about it.
    info: TensorInfo
    #: First byte of its data, counted from the start of the file.
    offset: int
    #: Stored rows to float32, or None with the reason in `unreadable`.
    decode: Decoder | None
    #: Why the data cannot be read as rows, empty if it can.
    unreadable: str = ""
    #: Bytes from one number to the next, down a column and along a row, of a matrix that is a view of a
    #: larger or a transposed one; None where its numbers stand row after row.
    strides: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class StoredMatrix:
    """A `(V, d)` matrix in a file; implements `forensics.matrices.RowMatrix`."""

    #: The mapped file.
    file: MappedFile
    #: Its place and format; has a decoder and two dimensions, neither of them zero.
    extent: Extent

    @property
    def shape(self) -> tuple[int, int]:
        """`(V, d)`."""
        rows, columns = self.extent.info.shape
        return rows, columns

    @property
    def dtype(self) -> str:
        """The dtype as stored."""
        return self.extent.info.dtype

    @property
    def row_bytes(self) -> int:
        """Bytes of one stored row."""
        return self.extent.info.nbytes // self.shape[0]

    def rows(self, start: int, stop: int) -> Float32Array:
        """Read rows `start` to `stop` (cut to the matrix, as a slice is) as float32 `(n, d)`."""
        return self._decode(start, stop, None)

    def rows_into(self, start: int, stop: int, out: Float32Array) -> Float32Array:
        """Read rows `start` to `stop` into `out`, shape `(stop - start, d)`, and return it."""
        return self._decode(start, stop, out)

    def _decode(self, start: int, stop: int, out: Float32Array | None) -> Float32Array:
        decode = cast(Decoder, self.extent.decode)
        if self.extent.strides is not None:
            return decode(self.stored_rows(start, stop), out)
        first, last = self._span(start, stop)
        self.file.will_need(first, last)
        decoded = decode(self.file.view(first, last).reshape(-1, self.row_bytes), out)
        self.file.release(first, last)
        return decoded

    def gather(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> Float32Array:
        """Read the rows of `ids`, in that order, as float32 `(len(ids), d)`.

        :raises IndexError: If an id is not a row of the matrix.
        """
        stored, decode = self.gather_stored(ids), cast(Decoder, self.extent.decode)
        gathered = np.empty((len(stored), self.shape[1]), dtype=np.float32)
        step = max(1, DECODE_BYTES // (4 * self.shape[1]))
        for start in range(0, len(stored), step):
            decode(stored[start : start + step], gathered[start : start + step])
        return gathered

    def stored_rows(self, start: int, stop: int) -> UInt8Array:
        """Copy rows `start` to `stop` as the bytes in the file, `(n, bytes per row)`."""
        if self.extent.strides is not None:
            return self._pick(np.arange(*slice(start, stop).indices(self.shape[0])[:2]))
        first, last = self._span(start, stop)
        stored = self.file.view(first, last).reshape(-1, self.row_bytes).copy()
        self.file.release(first, last)
        return stored

    def _pick(self, ids: npt.NDArray[np.int64]) -> UInt8Array:
        """Copy the rows of `ids` of a strided matrix, `(n, bytes per row)`."""
        (V, d), (down, along) = self.shape, cast(tuple[int, int], self.extent.strides)
        itemsize = self.row_bytes // d
        end = self.extent.offset + (V - 1) * down + (d - 1) * along + itemsize
        numbers = self.file.view(self.extent.offset, end)
        everything = np.lib.stride_tricks.as_strided(
            numbers, (V, d, itemsize), (down, along, 1), writeable=False
        )
        stored = everything[ids].reshape(len(ids), self.row_bytes)
        self.file.release(self.extent.offset, end)
        return stored

    def _span(self, start: int, stop: int) -> tuple[int, int]:
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        offset = self.extent.offset
        return offset + start * self.row_bytes, offset + max(start, stop) * self.row_bytes

    def gather_stored(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> UInt8Array:
        """Copy the rows of `ids` as the bytes in the file, touching a few pages at a time.

        :raises IndexError: If an id is not a row of the matrix.
        """
        wanted = np.asarray(ids, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= self.shape[0]):
            raise IndexError(f"row ids must be in 0..{self.shape[0] - 1}")
        if self.extent.strides is not None:
            return self._pick(wanted)
        first, last = self._span(0, self.shape[0])
        everything = self.file.view(first, last).reshape(self.shape[0], self.row_bytes)
        stored = np.empty((wanted.size, self.row_bytes), dtype=np.uint8)
        for start in range(0, wanted.size, GATHER_ROWS):
            part = wanted[start : start + GATHER_ROWS]
            stored[start : start + part.size] = everything[part]
            self.file.release(*self._span(int(part.min()), int(part.max()) + 1))
        return stored
