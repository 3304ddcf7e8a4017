"""Which format a weights file is in, told from its first bytes and never from its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.gguf.file import GGUF_MAGIC, read_gguf
from forensics.sources.tensors.mapped_file import MappedFile
from forensics.sources.tensors.pytorch_bin import LEGACY_PREFIX, ZIP_MAGIC, read_pytorch_bin
from forensics.sources.tensors.safetensors_file import read_safetensors
from forensics.sources.tensors.tensor_file import TensorFile

__all__ = ["FORMATS", "TensorFormat", "open_tensor_file"]


@dataclass(frozen=True)
class TensorFormat:
    """One format of tensor files."""

    #: As reports call it.
    name: str
    #: How its files are recognised, as a user would put it.
    sign: str
    #: Whether a file that begins with these bytes is of this format.
    matches: Callable[[bytes], bool]
    #: Opens it.
    read: Callable[[Path], TensorFile]


FORMATS = (
    TensorFormat("gguf", "begins with 'GGUF'", lambda head: head.startswith(GGUF_MAGIC), read_gguf),
    TensorFormat(
        "bin",
        "a zip archive or old container of torch.save",
        # Any pickle goes to the restricted reader, which is the one to refuse it.
        lambda head: head.startswith((ZIP_MAGIC, LEGACY_PREFIX[:1])) and head[8:9] != b"{",
        read_pytorch_bin,
    ),
    TensorFormat(
        "safetensors", "a length and a JSON header", lambda head: head[8:9] == b"{", read_safetensors
    ),
)
_LFS_POINTER = b"version https://git-lfs"


def open_tensor_file(path: Path) -> TensorFile:
    """Open a weights file of any known format.

    :param path: The file.
    :return: Its tensors.
    :raises BadInputError: If it cannot be read, is of no known format, or is damaged.
    """
    file = MappedFile(path)
    head = file.buffer[:64]
    if head.startswith(_LFS_POINTER):
        raise BadInputError(path, "a Git LFS pointer, not the weights", "fetch them with: git lfs pull")
    for tensor_format in FORMATS:
        if tensor_format.matches(head):
            return tensor_format.read(path)
    looked_for = ", ".join(f"{f.name} ({f.sign})" for f in FORMATS)
    raise BadInputError(path, f"no known weights format; looked for {looked_for}", "name a file of weights")
