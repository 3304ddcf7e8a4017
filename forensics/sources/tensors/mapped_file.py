"""A file seen through a memory map, whose pages are given back once they are used.

Reading a large matrix through a plain `numpy.memmap` leaves every page that was touched in the
process's resident set, and peak memory is a number the reports state. `MappedFile.release` returns
pages to the kernel (they stay in its page cache), so a pass over 4 GB of weights costs one block.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError

__all__ = ["MappedFile"]

UInt8Array = npt.NDArray[np.uint8]

#: Touching one byte may map its whole large folio of the page cache, up to 2 MB on x86-64.
MAPPED_AROUND = 2 * 2**20


class MappedFile:
    """A read-only memory map of one whole file."""

    def __init__(self, path: Path) -> None:
        """Map `path`.

        :param path: The file.
        :raises BadInputError: If it is missing, not a file, empty, or cannot be read.
        """
        self.path = path
        try:
            with path.open("rb") as stream:
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            found = "a link that leads nowhere" if path.is_symlink() else "no such file"
            raise BadInputError(path, found, "check the path") from error
        except IsADirectoryError as error:
            raise BadInputError(path, "a folder where a file was expected", "name the file") from error
        except OSError as error:
            found = f"cannot be read ({error.strerror or error})"
            raise BadInputError(path, found, "check its permissions and the disk") from error
        except ValueError as error:  # mmap's answer to a file of no bytes
            raise BadInputError(path, "the file is empty", "download or export it again") from error
        self.size = len(self._map)
        self._bytes: UInt8Array = np.frombuffer(self._map, dtype=np.uint8)

    @property
    def buffer(self) -> mmap.mmap:
        """The map itself, for parsers that slice bytes out of a header."""
        return self._map

    def view(self, start: int, stop: int) -> UInt8Array:
        """Return bytes `start` to `stop` as a read-only uint8 array that shares the map's memory."""
        return self._bytes[start:stop]

    def will_need(self, start: int, stop: int) -> None:
        """Ask the kernel to begin reading bytes `start` to `stop` from the disk."""
        self._advise("MADV_WILLNEED", start, stop)

    def release(self, start: int, stop: int) -> None:
        """Take the pages of bytes `start` to `stop` out of this process's resident set.

        Views stay valid: a page that is touched again is mapped again.
        """
        if stop > start:
            first, last = max(0, start - MAPPED_AROUND), min(self.size, stop + MAPPED_AROUND)
            self._advise("MADV_DONTNEED", first, last)

    def _advise(self, advice: str, start: int, stop: int) -> None:
        option = getattr(mmap, advice, None)  # absent on Windows, where this is only a missed saving
        if option is None or stop <= start:
            return
        page = start - start % mmap.PAGESIZE
        self._map.madvise(option, page, stop - page)
