"""A model folder with some token rows replaced: a copy in which every other byte is as it was.

Safetensors only. A GGUF file and a quantised matrix are refused, because one row cannot be changed there
without the scales of its block; a pickle, because writing one means trusting what was read from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, OutputError
from forensics.files import make_folder, read_json
from forensics.sources.checkpoints.config import language_sections
from forensics.sources.checkpoints.embedding_names import HEAD_BIASES, fits
from forensics.sources.interface import Checkpoint, TensorInfo
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.safetensors_rewrite import RowChange, write_changed_safetensors

__all__ = ["CopiedFile", "TokenTensors", "check_rewritable", "stale_weights", "token_tensors", "write_copy"]

_REFUSED = {
    "gguf": (
        "a GGUF file, whose rows share the scales of their blocks: writing one row means quantising again",
        "name the model's folder of safetensors files, and convert the repaired model to GGUF",
    ),
    "bin": ("pickled weights, which are read here and never written", "convert them to safetensors first"),
}
#: Weights that transformers passes over where safetensors lie beside them, and other programs may not.
_OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.gguf", "*.onnx", "*.msgpack", "*.h5")


@dataclass(frozen=True)
class TokenTensors:
    """The stored tensors that have a row for every token."""

    embedding: TensorInfo
    #: None where the embedding serves as the head.
    head: TensorInfo | None
    bias: TensorInfo | None

    @property
    def all(self) -> tuple[TensorInfo, ...]:
        """Those that are there."""
        return tuple(each for each in (self.embedding, self.head, self.bias) if each is not None)


@dataclass(frozen=True)
class CopiedFile:
    """One file of the copy."""

    #: Relative to the folder.
    path: str
    size: int
    sha256: str
    #: Whether it differs from the file it was copied from.
    changed: bool


def check_rewritable(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint whose rows cannot be written.

    :raises BadInputError: Says why, and what to name instead.
    """
    if checkpoint.format in _REFUSED:
        raise BadInputError(checkpoint.path, *_REFUSED[checkpoint.format])
    if not checkpoint.path.is_dir():
        raise BadInputError(checkpoint.path, "a lone file of weights", "name the model's folder")
    for name in filter(None, (checkpoint.embedding_name, checkpoint.unembedding_name)):
        info = checkpoint.tensors.get(name)
        dtype = "a packed form" if info is None else info.dtype
        number_format = None if info is None else NUMBER_FORMATS.get(info.dtype)
        if number_format is None or number_format.encode is None:
            raise BadInputError(
                f"{checkpoint.path} tensor {name}",
                f"a quantised matrix ({dtype}): changing one row would change what its scales mean",
                "name the checkpoint before it was quantised",
            )


def token_tensors(checkpoint: Checkpoint) -> TokenTensors:
    """Return the tensors with a row for every token, by role.

    :param checkpoint: One that `check_rewritable` lets pass.
    """
    tensors = checkpoint.tensors
    head = None if checkpoint.unembedding_name is None else tensors[checkpoint.unembedding_name]
    bias = None
    if checkpoint.head_bias is not None:
        V = len(checkpoint.head_bias)
        of_tokens = [info for info in tensors.values() if info.shape in ((V,), (1, V))]
        bias = next(
            (info for suffix in HEAD_BIASES for info in of_tokens if fits(info.name, suffix)),
            None,
        )
    return TokenTensors(tensors[checkpoint.embedding_name], head, bias)


def stale_weights(folder: Path) -> tuple[str, ...]:
    """Return the names of weights in other formats that lie in a model folder."""
    found = {file.name for pattern in _OTHER_WEIGHTS for file in folder.glob(pattern) if file.is_file()}
    return tuple(sorted(found - {"training_args.bin", "optimizer.bin"}))


def write_copy(
    checkpoint: Checkpoint, target: Path, changes: Mapping[str, RowChange], vocab_size: int | None = None
) -> tuple[CopiedFile, ...]:
    """Copy a model folder with `changes`, whole or not at all.

    :param checkpoint: The model.
    :param target: Where the copy appears; not yet there.
    :param changes: Tensor name -> its rows.
    :param vocab_size: What the configuration is to say, where the number of rows changes.
    :return: Every file of the copy, sorted by its path.
    :raises BadInputError: If `target` lies in the folder that is copied, or is there already.
    :raises OutputError: If anything cannot be written.
    """
    source = checkpoint.path.resolve()
    if target.exists():
        raise BadInputError(target, "is there already", "choose another `out`, or take it away")
    if source == target.resolve() or source in target.resolve().parents:
        raise BadInputError(target, "lies in the folder that is copied", "choose another `out`")
    per_file: dict[Path, dict[str, RowChange]] = {}
    for name, change in changes.items():
        per_file.setdefault(checkpoint.tensors[name].file.absolute(), {})[name] = change
    files = tuple(_files(checkpoint.path))
    with _appearing(target) as part:
        for file in files:
            place = part / file.relative_to(checkpoint.path)
            make_folder(place.parent)
            if file.absolute() in per_file:
                write_changed_safetensors(file, place, per_file[file.absolute()])
            else:
                _copy(file, place)
        if vocab_size is not None:
            _write_vocab_size(checkpoint, part, vocab_size)
            _write_total_size(part)
        return tuple(_copied(file, checkpoint.path, part) for file in files)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, sorted; of a version control system's own nothing."""
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(place, name) for name in sorted(names) if Path(place, name).is_file())


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` to be filled, which gets its name at the end and vanishes on failure."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    make_folder(part)
    try:
        yield part
        part.rename(target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy(file: Path, place: Path) -> None:
    try:
        shutil.copyfile(file, place)
    except OSError as error:
        raise _output_error(place, error) from error


def _output_error(place: Path, error: OSError) -> OutputError:
    found = f"{place}: cannot be written ({error.strerror or error})"
    return OutputError(f"{found}; free space or choose another `out`")


def _copied(file: Path, source: Path, part: Path) -> CopiedFile:
    place = part / file.relative_to(source)
    before, after = _sha256(file), _sha256(place)
    path = place.relative_to(part).as_posix()
    return CopiedFile(path, place.stat().st_size, after, changed=before != after)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_vocab_size(checkpoint: Checkpoint, part: Path, vocab_size: int) -> None:
    """Change the vocabulary size in the copy's configuration, wherever it says that of the original."""
    original = next(file for file in checkpoint.files if file.name == "config.json")
    place = part / original.relative_to(checkpoint.path)
    values = read_json(place)
    for section in language_sections(values):
        for key in ("vocab_size", "padded_vocab_size"):
            if isinstance(section, dict) and section.get(key) == checkpoint.config_vocab_size:
                section[key] = vocab_size
    _write_json(place, values)


def _write_total_size(part: Path) -> None:
    """Say in an index how many bytes its shards hold now."""
    from forensics.sources.tensors.safetensors_file import read_safetensors

    for index in part.rglob("*.safetensors.index.json"):
        values = read_json(index)
        weights, metadata = values.get("weight_map"), values.get("metadata")
        if not isinstance(weights, dict) or not isinstance(metadata, dict) or "total_size" not in metadata:
            continue
        shards = (index.with_name(name) for name in sorted(set(weights.values())))
        opened = (read_safetensors(shard) for shard in shards if shard.is_file())
        metadata["total_size"] = sum(info.nbytes for file in opened for info in file.tensors.values())
        _write_json(index, values)


def _write_json(place: Path, values: dict[str, Any]) -> None:
    """Write JSON as transformers does."""
    place.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
