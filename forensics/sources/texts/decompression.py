"""Compressed files as streams of bytes: gzip, bzip2, xz and Zstandard, to the end and not a byte short.

A file may hold several compressed streams one after the other, as parallel compressors and `cat` leave
them; all are read. A stream that breaks off is an error: what was decoded before is no reason to go on with
half a text.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from forensics.errors import MissingExtraError

__all__ = ["COMPRESSIONS", "decompression_errors", "open_decompressed"]

#: Suffixes, in lower case; the empty one is a plain file.
COMPRESSIONS = ("", ".gz", ".bz2", ".xz", ".zst")
_BLOCK = 2**20
#: The largest window `zstd --ultra --long=31` writes.
_ZSTD_WINDOW = 2**31


def open_decompressed(file: Path) -> IO[bytes]:
    """Return the content of `file` as a stream of bytes, by its suffix.

    :raises MissingExtraError: If the file is Zstandard's and `zstandard` is not installed.
    :raises OSError: If it cannot be opened.
    """
    suffix = file.suffix.lower()
    if suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    if suffix == ".bz2":
        return bz2.open(file, "rb")
    if suffix == ".xz":
        return lzma.open(file, "rb")
    if suffix == ".zst":
        return io.BufferedReader(_ByteStream(_zstandard(), file.open("rb")))
    return file.open("rb")


def decompression_errors() -> tuple[type[BaseException], ...]:
    """Return what reading a damaged or broken-off stream raises."""
    errors: tuple[type[BaseException], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)
    try:
        import zstandard
    except ImportError:
        return errors
    return (*errors, zstandard.ZstdError)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError("zstandard", "mixture", "reading .zst text") from error
    return zstandard


class _ByteStream(io.RawIOBase):
    """The frames of a Zstandard file, one after the other.

    The library's own reader ends in silence where a frame breaks off.
    """

    def __init__(self, zstandard: Any, stream: IO[bytes]) -> None:
        self._stream = stream
        self._pieces = _frames(zstandard, stream)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _frames(zstandard: Any, stream: IO[bytes]) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = decompressor.decompressobj()
    for block in iter(lambda: stream.read(_BLOCK), b""):
        rest = block
        while rest:
            if frame.eof:
                frame = decompressor.decompressobj()
            yield frame.decompress(rest)
            rest = frame.unused_data if frame.eof else b""
    if not frame.eof:
        raise EOFError("the last frame is cut off")
