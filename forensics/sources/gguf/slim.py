"""A GGUF file without its tokenizer, for readers that choke on it.

`gguf.GGUFReader`, through which transformers reads such files, makes several numpy objects of every string
in the metadata, and transformers reads the file twice: 37 s for a vocabulary of 262,144 entries, of which
the weights take 6. The tokenizer is not needed to run the model, so a copy without it is made: the tensors
stand in it byte for byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import BadInputError
from forensics.sources.gguf.file import GGUFFile, read_gguf

__all__ = ["write_slim_gguf"]

#: Metadata under these prefixes is left out; the architecture is written by the writer itself.
_LEFT_OUT = ("tokenizer.", "general.architecture", "general.alignment")


def write_slim_gguf(source: Path, target: Path) -> None:
    """Write a copy of `source` without the `tokenizer.*` metadata.

    :param source: A GGUF file.
    :param target: Where the copy goes; the folder exists, and has room for a file of the same size.
    :raises BadInputError: If `source` is damaged, names no architecture, or holds a tensor type that the
        installed gguf package does not know.
    :raises OSError: If the copy cannot be written.
    """
    import gguf

    file = read_gguf(source)
    architecture = file.metadata.get("general.architecture")
    if not isinstance(architecture, str):
        raise BadInputError(source, "no general.architecture in the metadata", "convert the model again")
    writer = gguf.GGUFWriter(target, architecture)
    for key, value in file.metadata.items():
        if not key.startswith(_LEFT_OUT):
            _add(writer, key, value)
    _add_tensors(writer, file, source)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _add_tensors(writer: Any, file: GGUFFile, source: Path) -> None:
    """Hand the tensors' bytes to the writer, as views of a memory map."""
    import gguf

    stored = np.memmap(source, dtype=np.uint8, mode="r")
    for name, info in file.tensors.items():
        if info.dtype not in gguf.GGMLQuantizationType.__members__:
            raise BadInputError(source, f"tensor {name} has type {info.dtype}", "upgrade the gguf package")
        start = file.offset(name)
        rows = info.shape[:-1]
        raw = stored[start : start + info.nbytes].reshape(*rows, -1)
        writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType[info.dtype])


def _add(writer: Any, key: str, value: Any) -> None:
    """Add one metadata value in a type that holds it."""
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        add = writer.add_uint32 if 0 <= value < 2**32 else writer.add_int64
        add(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif len(value):
        writer.add_array(key, value.tolist() if isinstance(value, np.ndarray) else list(value))
