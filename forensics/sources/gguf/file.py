"""GGUF, the format of llama.cpp: metadata and tensors in one file.

The header is parsed here and not by `gguf.GGUFReader`, which keeps several numpy arrays for every
string: 2.4 s for SmolLM2's 49,152 tokens, 10 s for a vocabulary of 262,144. The layout is that of the
specification (ggml repository, docs/gguf.md), versions 2 and 3, little-endian. Block types are
turned into float32 by the `gguf` package, for the rows that are asked for.

Left out: version 1 (no file of it has been published since 2023) and big-endian files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.gguf.header import DAMAGED, GGUF_MAGIC, GGUFHeader
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.number_formats import NUMBER_FORMATS, Decoder
from forensics.sources.tensors.stored_matrix import Extent
from forensics.sources.tensors.tensor_file import TensorFile, check_extents, element_count

__all__ = ["GGUF_MAGIC", "GGUFFile", "read_gguf"]

DEFAULT_ALIGNMENT = 32
#: Numbers handed to the gguf package at once; it holds three times their float32 size meanwhile, which
#: stays in the processor's cache at this size.
DEQUANTISE_NUMBERS = 2**18


class GGUFFile(TensorFile):
    """A GGUF file. `metadata` holds strings, Python numbers, lists of strings and numpy arrays.

    `tokenizer.ggml.tokens` is a list of str by token id, `tokenizer.ggml.scores` and
    `tokenizer.ggml.token_type` are arrays by token id. Shapes of tensors are row-major: an
    embedding is `(V, d)`.
    """


def read_gguf(path: str | Path) -> GGUFFile:
    """Open a GGUF file: parse all metadata and the tensor table, read no tensor.

    :param path: The file.
    :return: Its metadata and tensors.
    :raises BadInputError: If the file is not GGUF, not version 2 or 3, big-endian, or damaged.
    """
    path = Path(path)
    file = MappedFile(path)
    header = GGUFHeader(file)
    tensor_count, key_count = header.begin()
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = header.string("a metadata key")
        if key in metadata:
            raise BadInputError(path, f"metadata key {key!r} occurs twice", DAMAGED)
        metadata[key] = header.value(header.number("<I"), key)
    tensors = [header.tensor() for _ in range(tensor_count)]
    extents = _place(path, file.size, header.position, _alignment(path, metadata), tensors)
    file.release(0, header.position)
    return GGUFFile(file, "gguf", extents, metadata)


def _alignment(path: Path, metadata: Mapping[str, Any]) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise BadInputError(path, f"general.alignment is {alignment!r}, not a power of two", DAMAGED)
    return alignment


def _place(
    path: Path,
    size: int,
    header_end: int,
    alignment: int,
    tensors: Sequence[tuple[str, tuple[int, ...], int, int]],
) -> list[Extent]:
    """Turn the tensor table into extents and check every one of them against the file."""
    data_start = -(-header_end // alignment) * alignment
    extents: dict[str, Extent] = {}
    for name, shape, ggml_type, offset in tensors:
        if name in extents:
            raise BadInputError(path, f"tensor {name!r} occurs twice", DAMAGED)
        if offset % alignment:
            raise BadInputError(path, f"tensor {name} is not aligned to {alignment} bytes", DAMAGED)
        extents[name] = _extent(path, name, shape, ggml_type, data_start + offset)
    check_extents(path, size, list(extents.values()))
    return list(extents.values())


def _extent(path: Path, name: str, shape: tuple[int, ...], ggml_type: int, offset: int) -> Extent:
    import gguf

    try:
        kind = gguf.GGMLQuantizationType(ggml_type)
    except ValueError:
        # A type newer than the installed gguf: its size is unknown, and it matters only if
        # somebody asks for this very tensor.
        info = TensorInfo(name, shape, f"GGML_{ggml_type}", path, 0)
        reason = f"GGML type {ggml_type} is unknown to gguf (a newer version may know it)"
        return Extent(info, offset, None, reason)
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    row = shape[-1] if shape else 1
    if row % block:
        found = f"tensor {name} has rows of {row} numbers, {kind.name} needs a multiple of {block}"
        raise BadInputError(path, found, DAMAGED)
    nbytes = element_count(shape) // block * block_bytes
    info = TensorInfo(name, shape, kind.name, path, nbytes)
    if kind.name in NUMBER_FORMATS:
        return Extent(info, offset, NUMBER_FORMATS[kind.name].decode)
    decode = _block_decoder(kind)
    return Extent(info, offset, decode, "" if decode else f"gguf cannot dequantise type {kind.name}")


def _block_decoder(kind: Any) -> Decoder | None:
    """Return the decoder of a block type, or None where the gguf package has none."""
    from gguf import quants

    block, block_bytes = quants.GGML_QUANT_SIZES[kind]

    def decode(
        stored: npt.NDArray[np.uint8], out: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        shape = (len(stored), stored.shape[1] // block_bytes * block)
        decoded = np.empty(shape, dtype=np.float32) if out is None else out
        step = max(1, DEQUANTISE_NUMBERS // max(1, decoded.shape[1]))
        with np.errstate(all="ignore"):  # NaN and infinity in scales are values to report
            for start in range(0, len(stored), step):
                rows = slice(start, start + step)
                # As one long row: gguf goes through rows 16 at a time.
                flat = quants.dequantize(stored[rows].reshape(1, -1), kind)
                decoded[rows] = flat.reshape(-1, decoded.shape[1])
        return decoded

    try:
        decode(np.zeros((1, block_bytes), dtype=np.uint8))
    except NotImplementedError:
        return None
    return decode
