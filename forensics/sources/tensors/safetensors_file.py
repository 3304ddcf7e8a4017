"""Safetensors: eight bytes of header length, a JSON header, then the numbers.

The header is parsed here so that rows can be read through a map that gives its pages back, without
torch, and so that a damaged header is answered with one clear line. Stricter than the reference
where a header is ambiguous, more lenient in one point: tensors that name exactly the same bytes are
accepted, because they are evidence (two names for one matrix).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.stored_matrix import Extent
from forensics.sources.tensors.tensor_file import TensorFile, check_extents, element_count

__all__ = ["read_safetensors"]

#: The reference implementation refuses longer headers, too.
MAX_HEADER_BYTES = 100_000_000
_DAMAGED = "the file is cut short or damaged; download it again"


def read_safetensors(path: str | Path) -> TensorFile:
    """Open a safetensors file: parse its header, read no tensor.

    :param path: The file.
    :return: Its tensors; `metadata` holds the header's `__metadata__`.
    :raises BadInputError: If the header is not safetensors or does not fit the file.
    """
    path = Path(path)
    file = MappedFile(path)
    length = int.from_bytes(file.buffer[:8], "little")
    if file.size < 8 or length > min(file.size - 8, MAX_HEADER_BYTES):
        found = f"claims a header of {length:,} bytes in a file of {file.size:,}"
        raise BadInputError(path, found, _DAMAGED)
    header = _parse_header(path, file.buffer[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise BadInputError(path, "__metadata__ is not a JSON object", _DAMAGED)
    extents = [_extent(path, name, entry, 8 + length) for name, entry in header.items()]
    check_extents(path, file.size, extents)
    return TensorFile(file, "safetensors", extents, metadata)


def _parse_header(path: Path, raw: bytes) -> dict[str, Any]:
    def refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) != len(pairs):
            raise ValueError("a name occurs twice")
        return entries

    try:
        header = json.loads(raw, object_pairs_hook=refuse_repeats)
    except (ValueError, RecursionError) as error:
        raise BadInputError(path, f"the header is not valid JSON ({error})", _DAMAGED) from error
    if not isinstance(header, dict):
        raise BadInputError(path, "the header is not a JSON object", _DAMAGED)
    return header


def _extent(path: Path, name: str, entry: Any, data_start: int) -> Extent:
    """Check one entry of the header and say where its data stands."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        found = f"tensor {name} lacks dtype, shape or data_offsets"
        raise BadInputError(path, found, _DAMAGED) from error
    if not (isinstance(shape, list) and all(_is_count(n) for n in [*shape, begin, end]) and begin <= end):
        found = f"tensor {name} has an impossible shape or data_offsets"
        raise BadInputError(path, found, _DAMAGED)
    info = TensorInfo(name, tuple(shape), str(dtype), path, end - begin)
    if dtype not in NUMBER_FORMATS:  # sub-byte and future types: sized by their offsets alone
        return Extent(info, data_start + begin, None, f"dtype {dtype} cannot be read as rows")
    number_format = NUMBER_FORMATS[dtype]
    expected = element_count(shape) * number_format.itemsize
    if info.nbytes != expected:
        found = f"tensor {name}, {dtype} {shape}, needs {expected:,} bytes and has {info.nbytes:,}"
        raise BadInputError(path, found, _DAMAGED)
    return Extent(info, data_start + begin, number_format.decode)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
