"""The header of a GGUF file: a cursor that reads its values and never trusts a length.

Layout: magic, version, the numbers of tensors and of metadata keys, the keys with typed values, the
tensor table (ggml repository, docs/gguf.md). Every length is compared with what is left of the file
before anything of that size is made.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.tensors.mapped_file import MappedFile

__all__ = ["DAMAGED", "GGUF_MAGIC", "GGUFHeader"]

GGUF_MAGIC = b"GGUF"
SUPPORTED_VERSIONS = (2, 3)
#: ggml itself stops at four dimensions.
MAX_DIMENSIONS = 4
#: Arrays of arrays are allowed by the specification and used by nobody; deeper is hostile.
MAX_NESTING = 4
#: The remedy for whatever contradicts itself.
DAMAGED = "the file is cut short or damaged; download it again"

_STRING, _ARRAY, _BOOL = 8, 9, 7
#: GGUF value type -> numpy dtype of its fixed-size kinds.
_SCALARS = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    _BOOL: "<u1",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}


class GGUFHeader:
    """A cursor over the header that never reads past the end of the file."""

    def __init__(self, file: MappedFile) -> None:
        self._path = file.path
        self._buffer = file.buffer
        self._size = file.size
        self.position = 0

    def begin(self) -> tuple[int, int]:
        """Check magic and version; return the numbers of tensors and of metadata keys."""
        magic = self._take(4, "the magic number")
        if magic != GGUF_MAGIC:
            found = f"begins with {magic!r}, a GGUF file begins with {GGUF_MAGIC!r}"
            raise BadInputError(self._path, found, "name a GGUF file")
        version = self.number("<I")
        if version & 0xFFFF == 0 and version:
            remedy = "convert it to little-endian with gguf-convert-endian"
            raise BadInputError(self._path, "a big-endian GGUF file", remedy)
        if version not in SUPPORTED_VERSIONS:
            found = f"GGUF version {version}, supported are 2 and 3"
            raise BadInputError(self._path, found, "convert the model again with a current llama.cpp")
        return self.number("<Q"), self.number("<Q")

    def number(self, layout: str) -> int:
        """Read one integer of the given `struct` layout."""
        size = struct.calcsize(layout)
        value: int = struct.unpack(layout, self._take(size, "a number"))[0]
        return value

    def string(self, what: str, *, is_text: bool = False) -> str:
        """Read a length and that many bytes of UTF-8; of a text for people, replace what is not."""
        raw = self._take(self.number("<Q"), what)
        if is_text:
            return raw.decode(errors="replace")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise BadInputError(self._path, f"{what} is not UTF-8: {raw[:40]!r}", DAMAGED) from error

    def value(self, kind: int, key: str, nesting: int = 0) -> Any:
        """Read one metadata value of GGUF type `kind`."""
        if kind == _STRING:
            return self.string(f"the value of {key}", is_text=True)
        if kind in _SCALARS:
            return self._numbers(kind, 1, key)[0].item()
        if kind == _ARRAY and nesting < MAX_NESTING:
            element, count = self.number("<I"), self.number("<Q")
            if element in _SCALARS:
                return self._numbers(element, count, key)
            if element == _STRING:
                return self._strings(count, key)
            self._expect(12 * count, f"the array {key}")
            return [self.value(element, key, nesting + 1) for _ in range(count)]
        raise BadInputError(self._path, f"metadata key {key!r} has the unknown type {kind}", DAMAGED)

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        """Read one entry of the tensor table: name, row-major shape, GGML type, offset."""
        name = self.string("a tensor name")
        dimensions = self.number("<I")
        if dimensions > MAX_DIMENSIONS:
            raise BadInputError(self._path, f"tensor {name} claims {dimensions} dimensions", DAMAGED)
        # GGUF writes the fastest dimension first.
        shape = tuple(self.number("<Q") for _ in range(dimensions))[::-1]
        return name, shape, self.number("<I"), self.number("<Q")

    def _numbers(self, kind: int, count: int, key: str) -> npt.NDArray[Any]:
        dtype = np.dtype(_SCALARS[kind])
        raw = self._take(dtype.itemsize * count, f"the value of {key}")
        numbers = np.frombuffer(raw, dtype=dtype)
        return numbers != 0 if kind == _BOOL else numbers

    def _strings(self, count: int, key: str) -> list[str]:
        # The hot loop of a large vocabulary: a quarter of a million strings in about 0.1 s.
        self._expect(8 * count, f"the array {key}")
        buffer, position, size = self._buffer, self.position, self._size
        read_length = struct.Struct("<Q").unpack_from
        strings = []
        for index in range(count):
            if position + 8 > size:
                raise self._cut(f"entry {index} of {key}")
            (length,) = read_length(buffer, position)
            position += 8
            if length > size - position:
                raise self._cut(f"entry {index} of {key}")
            raw = buffer[position : position + length]
            position += length
            try:
                strings.append(raw.decode())
            except UnicodeDecodeError as error:
                if not key.startswith("tokenizer."):  # text for people, as in `string`
                    strings.append(raw.decode(errors="replace"))
                    continue
                found = f"entry {index} of {key} is not UTF-8: {raw[:40]!r}"
                raise BadInputError(self._path, found, DAMAGED) from error
        self.position = position
        return strings

    def _take(self, count: int, what: str) -> bytes:
        self._expect(count, what)
        start, self.position = self.position, self.position + count
        return self._buffer[start : self.position]

    def _expect(self, count: int, what: str) -> None:
        if count > self._size - self.position:
            raise self._cut(what)

    def _cut(self, what: str) -> BadInputError:
        found = f"the file of {self._size:,} bytes ends within {what}"
        return BadInputError(self._path, found, DAMAGED)
