"""PyTorch's `.bin` and `.pt` files of weights, read without torch and without running their pickle.

Two containers exist: since PyTorch 1.6 a zip archive with the pickle in `data.pkl` and every storage
as an uncompressed member, and before that a run of five pickles followed by the storages. In both
the numbers stand in the file as they are in memory, so rows are read through the same map as
everywhere else.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.restricted_pickle import StridedTensor, load_restricted
from forensics.sources.tensors.stored_matrix import Extent
from forensics.sources.tensors.tensor_file import TensorFile, element_count

__all__ = ["LEGACY_PREFIX", "ZIP_MAGIC", "read_pytorch_bin"]

ZIP_MAGIC = b"PK\x03\x04"
#: Pickle protocol 2, then the number 0x1950a86a20f9469cfc6c that begins torch's old format.
LEGACY_PREFIX = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
#: A state dict may stand under one of these keys of a training checkpoint.
WRAPPER_KEYS = ("state_dict", "model_state_dict", "model", "module")
_DAMAGED = "the file is cut short or damaged; download it again"
_LOCAL_HEADER = struct.Struct("<4s22xHH")


def read_pytorch_bin(path: str | Path) -> TensorFile:
    """Open a file written by `torch.save`: read its pickle with the restricted reader, no tensor.

    :param path: The file.
    :return: Its tensors.
    :raises BadInputError: If the pickle asks for code, or the container is damaged.
    """
    path = Path(path)
    file = MappedFile(path)
    if file.buffer[:4] == ZIP_MAGIC:
        saved, storages = _read_zip(file)
    else:
        saved, storages = _read_legacy(file)
    tensors = _state_dict(path, saved)
    extents = [_extent(path, name, tensor, storages) for name, tensor in tensors.items()]
    return TensorFile(file, "bin", extents, {})


#: Storage key -> (first byte, bytes) in the file.
_Storages = Mapping[str, tuple[int, int]]


def _read_zip(file: MappedFile) -> tuple[Any, _Storages]:
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
            if len(pickles) != 1:
                remedy = "name a file written by torch.save"
                raise BadInputError(file.path, f"a zip archive with {len(pickles)} data.pkl", remedy)
            root = pickles[0].removesuffix("data.pkl")
            order = archive.read(root + "byteorder") if root + "byteorder" in members else b"little"
            program = archive.read(pickles[0])
    except BadInputError:
        raise
    except Exception as error:  # zipfile: BadZipFile, NotImplementedError, struct.error, zlib.error, ...
        raise BadInputError(file.path, f"the zip archive is damaged ({error})", _DAMAGED) from error
    if order != b"little":
        raise BadInputError(file.path, f"byte order {order!r}", "save the weights on a little-endian machine")
    prefix = root + "data/"
    storages = {
        name.removeprefix(prefix): _member_span(file, info)
        for name, info in members.items()
        if name.startswith(prefix) and info.compress_type == zipfile.ZIP_STORED
    }
    return load_restricted(file.path, io.BytesIO(program)), storages


def _member_span(file: MappedFile, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Find where a member's bytes begin; its local header has lengths of its own."""
    raw = file.buffer[info.header_offset : info.header_offset + _LOCAL_HEADER.size]
    if len(raw) < _LOCAL_HEADER.size or raw[:4] != ZIP_MAGIC:
        raise BadInputError(file.path, f"zip member {info.filename} is not where it should be", _DAMAGED)
    _, name_length, extra_length = _LOCAL_HEADER.unpack(raw)
    start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    if start + info.file_size > file.size:
        raise BadInputError(file.path, f"zip member {info.filename} leaves the file", _DAMAGED)
    return start, info.file_size


def _read_legacy(file: MappedFile) -> tuple[Any, _Storages]:
    """Read magic, protocol, system information, state dict and storage keys, then the storages."""
    if file.buffer[: len(LEGACY_PREFIX)] != LEGACY_PREFIX:
        remedy = "name a file written by torch.save"
        raise BadInputError(file.path, "neither a zip archive nor torch's old container", remedy)
    # Nothing says where the pickles end, so the map itself is the stream, with its own position.
    stream = file.buffer
    stream.seek(0)
    _, _, system, saved, keys = (load_restricted(file.path, stream) for _ in range(5))
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise BadInputError(file.path, "not saved on a little-endian machine", "save the weights again")
    if not isinstance(keys, list):
        raise BadInputError(file.path, "its list of storages is missing", _DAMAGED)
    itemsizes = _storage_itemsizes(file.path, saved)
    storages: dict[str, tuple[int, int]] = {}
    position = stream.tell()
    for key in keys:
        count = int.from_bytes(file.buffer[position : position + 8], "little")
        nbytes = count * itemsizes.get(str(key), 0)
        if str(key) not in itemsizes or position + 8 + nbytes > file.size:
            raise BadInputError(file.path, f"storage {key} leaves the file", _DAMAGED)
        storages[str(key)] = (position + 8, nbytes)
        position += 8 + nbytes
    return saved, storages


def _storage_itemsizes(path: Path, saved: Any) -> dict[str, int]:
    storages = [tensor.storage for tensor in _state_dict(path, saved).values()]
    return {storage.key: NUMBER_FORMATS[storage.dtype].itemsize for storage in storages}


def _state_dict(path: Path, saved: Any) -> dict[str, StridedTensor]:
    """Find the mapping of names to tensors, which a training checkpoint keeps under a key."""
    candidates = [saved]
    if isinstance(saved, dict):
        candidates += [dict.get(saved, key) for key in WRAPPER_KEYS]
    for candidate in candidates:
        if isinstance(candidate, dict):
            items = dict.items(candidate)
            tensors = {k: v for k, v in items if isinstance(k, str) and isinstance(v, StridedTensor)}
            if tensors:
                return tensors
    raise BadInputError(path, "holds no mapping of names to tensors", "save model.state_dict() in it")


def _extent(path: Path, name: str, tensor: StridedTensor, storages: _Storages) -> Extent:
    storage = tensor.storage
    if storage.key not in storages:
        found = f"tensor {name} refers to storage {storage.key}, which is missing or compressed"
        raise BadInputError(path, found, _DAMAGED)
    start, available = storages[storage.key]
    number_format = NUMBER_FORMATS[storage.dtype]
    nbytes = element_count(tensor.shape) * number_format.itemsize
    info = TensorInfo(name, tensor.shape, storage.dtype, path, nbytes)
    begin, strides = tensor.offset * number_format.itemsize, None
    end = begin + nbytes
    if not _is_row_major(tensor) and nbytes:
        if len(tensor.shape) != 2:
            return Extent(info, start, None, f"it is a view with strides {tensor.stride}, not row-major")
        steps = [stride * number_format.itemsize for stride in tensor.stride]
        strides = (steps[0], steps[1])
        last = sum((size - 1) * step for size, step in zip(tensor.shape, steps, strict=True))
        end = begin + last + number_format.itemsize
    if end > available:
        found = f"tensor {name} needs {end:,} bytes of a storage of {available:,}"
        raise BadInputError(path, found, _DAMAGED)
    return Extent(info, start + begin, number_format.decode, strides=strides)


def _is_row_major(tensor: StridedTensor) -> bool:
    expected = 1
    for size, stride in zip(reversed(tensor.shape), reversed(tensor.stride), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True
