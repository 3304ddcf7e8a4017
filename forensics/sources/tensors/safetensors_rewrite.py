"""A safetensors file with some rows of some tensors replaced, everything else as it was, byte for byte.

Where no tensor changes its number of rows, the file is copied and the rows are written into the copy: header,
order and all other bytes stay. Where one does, the header is written anew, with every name, dtype, shape and
piece of metadata in its old order, and the data behind it in their old order, without gaps.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, OutputError
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.safetensors_file import read_safetensors
from forensics.sources.tensors.tensor_file import TensorFile

__all__ = ["RowChange", "as_stored", "write_changed_safetensors"]

UInt8Array = npt.NDArray[np.uint8]

#: Bytes copied at once.
_BLOCK = 16 * 2**20
#: Numbers behind the header begin at a multiple of this.
_ALIGNMENT = 8


class _Entry(TypedDict):
    """What a header says of one tensor."""

    dtype: str
    shape: list[int]
    data_offsets: list[int]


@dataclass(frozen=True, eq=False)
class RowChange:
    """Rows of one tensor that are replaced."""

    #: Rows, ascending, shape (n,).
    ids: npt.NDArray[np.int64]
    #: What stands there afterwards, shape (n, d); (n, 1) for a bias.
    rows: npt.NDArray[np.float32]
    #: Rows of the tensor afterwards. Of a larger one every new row is among `ids`.
    total: int


def as_stored(rows: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.float32]:
    """Return `rows` as a reader will find them once they are stored as `dtype`."""
    number_format = NUMBER_FORMATS[dtype]
    if number_format.encode is None:
        raise ValueError(f"{dtype} is not written")
    return number_format.decode(number_format.encode(rows)).reshape(rows.shape)


def write_changed_safetensors(source: Path, target: Path, changes: Mapping[str, RowChange]) -> None:
    """Write `source` with `changes` to `target`.

    :param source: The file as it is.
    :param target: Where the other is written; not yet there.
    :param changes: Tensor name -> its rows.
    :raises BadInputError: If the file lacks a tensor, or has it in a dtype of which rows are not written.
    :raises OutputError: If it cannot be written.
    """
    file = read_safetensors(source)
    encoded = {name: _encode(file, name, change) for name, change in changes.items()}
    try:
        if any(_rows(file.tensors[name]) != change.total for name, change in changes.items()):
            starts = _write_resized(file, target, changes)
        else:
            shutil.copyfile(source, target)
            starts = {name: file.offset(name) for name in changes}
        with target.open("r+b") as out:
            for name, change in changes.items():
                row_bytes = encoded[name].shape[1]
                for row, stored in zip(change.ids.tolist(), encoded[name], strict=True):
                    out.seek(starts[name] + row * row_bytes)
                    out.write(stored.tobytes())
    except OSError as error:
        found = f"{target}: cannot be written ({error.strerror or error})"
        raise OutputError(f"{found}; free space or choose another `out`") from error


def _encode(file: TensorFile, name: str, change: RowChange) -> UInt8Array:
    """Return the rows of a change as bytes, shape (n, bytes per row)."""
    info = file.tensors.get(name)
    if info is None:
        raise BadInputError(file.path, f"holds no tensor {name!r}", "check that the files belong together")
    number_format = NUMBER_FORMATS.get(info.dtype)
    if number_format is None or number_format.encode is None:
        raise BadInputError(
            f"{file.path} tensor {name}",
            f"stored as {info.dtype}, whose numbers mean something only with their scales",
            "name the checkpoint before it was quantised",
        )
    return number_format.encode(change.rows)


def _row_axis(info: TensorInfo) -> int:
    """Return the axis of the tokens: the first, of a bias of shape (1, V) the second."""
    return 1 if len(info.shape) == 2 and info.shape[0] == 1 else 0


def _rows(info: TensorInfo) -> int:
    return info.shape[_row_axis(info)]


def _write_resized(file: TensorFile, target: Path, changes: Mapping[str, RowChange]) -> dict[str, int]:
    """Write the file with tensors cut or filled up with zeros; return where each changed one begins."""
    raw = file.path.open("rb")
    with raw, target.open("xb") as out:
        length = int.from_bytes(raw.read(8), "little")
        header: dict[str, _Entry] = json.loads(raw.read(length))
        metadata = header.pop("__metadata__", None)
        regions = sorted({(each["data_offsets"][0], each["data_offsets"][1]) for each in header.values()})
        sizes = {region: region[1] - region[0] for region in regions}
        for name, change in changes.items():
            info, changed = file.tensors[name], header[name]["data_offsets"]
            sizes[changed[0], changed[1]] = info.nbytes // _rows(info) * change.total
            # A second name for the same bytes has the same rows.
            for entry in (each for each in header.values() if each["data_offsets"] == changed):
                entry["shape"][_row_axis(info)] = change.total
        places, place = {}, 0
        for region in regions:
            places[region] = place
            place += sizes[region]
        for entry in header.values():
            region = entry["data_offsets"][0], entry["data_offsets"][1]
            entry["data_offsets"] = [places[region], places[region] + sizes[region]]
        whole = {**({} if metadata is None else {"__metadata__": metadata}), **header}
        text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % _ALIGNMENT)
        out.write(len(text).to_bytes(8, "little") + text)
        for region in regions:
            raw.seek(8 + length + region[0])
            _copy(raw, out, min(sizes[region], region[1] - region[0]))
            out.write(bytes(max(0, sizes[region] - (region[1] - region[0]))))
    return {name: 8 + len(text) + header[name]["data_offsets"][0] for name in changes}


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size > 0:
        block = source.read(min(_BLOCK, size))
        target.write(block)
        size -= len(block)
