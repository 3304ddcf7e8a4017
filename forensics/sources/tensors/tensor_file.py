"""One file of named tensors, whatever its format: names and shapes at once, rows on demand.

All three formats come down to the same thing, a table that says where in the file each tensor's
bytes stand. A format module parses that table and hands it over as `Extent`s; everything that reads
numbers is here, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.number_formats import NUMBER_FORMATS, Decoder
from forensics.sources.tensors.stored_matrix import Extent, StoredMatrix

__all__ = ["TensorFile", "check_extents", "element_count"]

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]


class TensorFile:
    """One opened file of tensors; nothing is read but its table until rows are asked for."""

    def __init__(
        self, file: MappedFile, format: str, extents: Iterable[Extent], metadata: Mapping[str, Any]
    ) -> None:
        """Take what a format module parsed.

        :param file: The mapped file.
        :param format: `safetensors`, `gguf` or `bin`.
        :param extents: Where every tensor stands, checked with `check_extents`.
        :param metadata: What the file says besides its tensors.
        """
        self.path: Path = file.path
        self.format = format
        self.metadata = metadata
        self._file = file
        self._extents = {extent.info.name: extent for extent in extents}
        self.tensors: Mapping[str, TensorInfo] = {name: e.info for name, e in self._extents.items()}

    def matrix(self, name: str) -> StoredMatrix:
        """Return the two-dimensional tensor `name` as rows on demand.

        :raises BadInputError: If there is no such tensor, it is not a matrix, or its numbers cannot
            be decoded.
        """
        extent = self._readable(name)
        if len(extent.info.shape) != 2:
            found = f"tensor {name} has shape {list(extent.info.shape)}, a matrix was expected"
            raise BadInputError(self.path, found, "name a checkpoint whose embedding is a (V, d) matrix")
        return StoredMatrix(self._file, extent)

    def as_bytes(self, name: str, rows: int, dtype: str = "U8") -> StoredMatrix:
        """Return the data of tensor `name`, whatever its shape and dtype, as `rows` rows of bytes.

        :param name: The tensor.
        :param rows: How many rows its bytes make.
        :param dtype: What each byte means as a number, for `rows` and `gather`.
        :raises BadInputError: If there is no such tensor, or its bytes do not make so many equal rows.
        """
        extent = self._extent(name)
        width, rest = divmod(extent.info.nbytes, rows) if rows > 0 else (0, 1)
        if rest or not width:
            found = f"has {extent.info.nbytes:,} bytes, which do not make {rows:,} equal rows"
            raise BadInputError(f"{self.path} tensor {name}", found, "download the checkpoint again")
        info = replace(extent.info, shape=(rows, width), dtype=dtype)
        return StoredMatrix(self._file, Extent(info, extent.offset, NUMBER_FORMATS[dtype].decode))

    def values(self, name: str) -> Float32Array:
        """Read the whole tensor `name` as float32 in its own shape (for biases and scales)."""
        extent = self._readable(name)
        stored = self._file.view(extent.offset, extent.offset + extent.info.nbytes)
        decode = cast(Decoder, extent.decode)
        return decode(stored.reshape(1, -1)).reshape(extent.info.shape)

    def offset(self, name: str) -> int:
        """Return the first byte of the data of `name`; equal offsets are shared data."""
        return self._extent(name).offset

    def rows(self, name: str, start: int, stop: int) -> Float32Array:
        """Read rows `start` to `stop` of matrix `name` as float32 `(n, d)`."""
        return self.matrix(name).rows(start, stop)

    def stored_rows(self, name: str, start: int, stop: int) -> UInt8Array:
        """Copy rows `start` to `stop` of matrix `name` as stored bytes."""
        return self.matrix(name).stored_rows(start, stop)

    def _extent(self, name: str) -> Extent:
        try:
            return self._extents[name]
        except KeyError as error:
            found = f"holds no tensor {name!r} among its {len(self._extents)}"
            raise BadInputError(self.path, found, "check that the files belong together") from error

    def _readable(self, name: str) -> Extent:
        extent = self._extent(name)
        where = f"{self.path} tensor {name}"
        if extent.decode is None:
            raise BadInputError(where, extent.unreadable, "convert the checkpoint to another dtype")
        if 0 in extent.info.shape:
            found = f"has no numbers (shape {list(extent.info.shape)})"
            raise BadInputError(where, found, "download or export the checkpoint again")
        return extent


def check_extents(path: Path, size: int, extents: Sequence[Extent]) -> None:
    """Refuse tensors that leave the file or overlap without being the same bytes.

    :param path: The file, for the message.
    :param size: Its length in bytes.
    :param extents: Every tensor of it.
    :raises BadInputError: Naming the first tensor at fault.
    """
    end, previous = 0, None
    for extent in sorted(extents, key=lambda e: (e.offset, e.info.nbytes)):
        info, stop = extent.info, extent.offset + extent.info.nbytes
        if stop > size:
            found = f"tensor {info.name} should end at byte {stop:,}, the file has {size:,}"
            raise BadInputError(path, found, "the file is cut short or damaged; download it again")
        shared = previous is not None and (previous.offset, previous.info.nbytes) == (
            extent.offset,
            info.nbytes,
        )
        if extent.offset < end and info.nbytes and not shared:
            other = previous.info.name if previous else ""
            found = f"tensors {other} and {info.name} overlap"
            raise BadInputError(path, found, "the header is damaged; download the file again")
        if info.nbytes:
            end, previous = stop, extent


def element_count(shape: Iterable[int]) -> int:
    """Return the product of `shape` (1 for a scalar), exact for any size."""
    return math.prod(shape)
