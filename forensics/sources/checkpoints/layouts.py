"""Where a model folder keeps its weights: a table of layouts, and the one that a folder has.

The order is that in which transformers looks: safetensors before pickles, one file before an index. A
new layout is a new row. An index says which files belong together and nothing else: what a tensor is and
where it stands is what the files say, as it is for transformers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.gguf.parts import GGUF_PART, whole_models
from forensics.sources.tensors.open_tensor_file import open_tensor_file
from forensics.sources.tensors.tensor_file import TensorFile

__all__ = ["FOLDER_LAYOUTS", "Weights", "open_weights"]


@dataclass(frozen=True)
class Layout:
    """One way in which a folder holds weights."""

    #: Glob below the folder; with several matches the layout does not apply, unless they are one model.
    pattern: str
    #: Whether the file is an index of shards.
    is_index: bool = False


FOLDER_LAYOUTS = (
    Layout("model.safetensors"),  # before an index, as transformers does: saved anew beside a stale one
    Layout("model.safetensors.index.json", is_index=True),
    Layout("*.safetensors.index.json", is_index=True),
    Layout("model.safetensors.index.*.json", is_index=True),  # a variant, e.g. fp16
    Layout("consolidated.safetensors"),
    Layout("*.safetensors"),
    Layout("pytorch_model.bin"),
    Layout("pytorch_model.bin.index.json", is_index=True),
    Layout("*.gguf"),
    Layout("*.bin.index.json", is_index=True),
    Layout("*.bin"),
    Layout("*.pt"),
    Layout("*.pth"),
    # sentence-transformers folders whose first module has a folder of its own
    Layout("0_*/model.safetensors"),
    Layout("0_*/pytorch_model.bin"),
    # diffusers' pipelines, whose language model is the text encoder
    Layout("text_encoder/model.safetensors"),
    Layout("text_encoder/model.safetensors.index.json", is_index=True),
    Layout("text_encoder/*.safetensors"),
    Layout("text_encoder/pytorch_model.bin"),
)
#: One of the shards that an index joins; its own numbers say how many there are.
_SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.(safetensors|bin)")
#: One of the slices of Meta's model-parallel checkpoints, each of which holds a part of every matrix.
_SLICE = re.compile(r"consolidated\.(\d\d)\.(pth|pt|bin|safetensors)")


#: Bytes compared at once where two files hold one tensor.
_COMPARED_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class Weights:
    """All tensor files of one model, behind one set of names."""

    #: The files in the order they were opened.
    parts: tuple[TensorFile, ...]
    #: Tensor name -> the file that holds it.
    owner: Mapping[str, TensorFile]
    #: Tensor name -> shard that the index names and the folder lacks.
    absent: Mapping[str, str] = field(default_factory=dict)
    #: The index, if there is one.
    index: Path | None = None
    #: Remarks for the report.
    notes: tuple[str, ...] = ()


def open_weights(path: Path) -> Weights:
    """Open the weights of a folder, or of a lone file.

    :param path: The folder or file.
    :return: Every tensor that is there, and the names of those in shards that are not.
    :raises BadInputError: If no layout fits, or what is there contradicts itself.
    """
    if not path.is_dir():
        return _open_file(path)
    several: list[Path] = []
    for layout in FOLDER_LAYOUTS:
        found = sorted(path.glob(layout.pattern))
        if layout.pattern.endswith(".gguf"):
            found = whole_models(found)
        if len(found) == 1:
            return _open_index(found[0]) if layout.is_index else _beside(_open_file(found[0]))
        if found and _is_one_set(found):
            return _open_file(found[0])
        several = several or found
    if several:
        found_text = f"{len(several)} weights files and no index: {_listing(several)}"
        raise BadInputError(path, found_text, "name one of the files")
    looked_for = ", ".join(layout.pattern for layout in FOLDER_LAYOUTS)
    there = _listing(_entries(path)) or "nothing"
    found_text = f"no weights found; looked for {looked_for}; the folder holds {there}"
    raise BadInputError(path, found_text, "name a model folder, or one weights file in it")


def _is_one_set(files: list[Path]) -> bool:
    """Return whether files that no index joins are the numbered shards, or slices, of one model."""
    if all(_SLICE.fullmatch(file.name) for file in files):
        return True
    shards = [_SHARD.fullmatch(file.name) for file in files]
    return None not in shards and len({(s[1], s[3], s[4]) for s in shards if s}) == 1


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        found = f"cannot be listed ({error.strerror or error})"
        raise BadInputError(folder, found, "check its permissions") from error


def _listing(entries: list[Path], shown: int = 8) -> str:
    more = [f"and {len(entries) - shown} more"] if len(entries) > shown else []
    return ", ".join([entry.name for entry in entries[:shown]] + more)


def _open_file(path: Path) -> Weights:
    """Open a file, with the others of its set where its name says that it is one of several."""
    if part := GGUF_PART.fullmatch(path.name):
        return _join(_whole_set(path, part, "gguf"))
    if part := _SHARD.fullmatch(path.name):
        index = path.with_name(f"{part[1]}.{part[4]}.index.json")
        return _open_index(index) if index.is_file() else _join(_whole_set(path, part, part[4]))
    if _SLICE.fullmatch(path.name):
        slices = [entry for entry in _entries(path.absolute().parent) if _SLICE.fullmatch(entry.name)]
        if len(slices) > 1:
            found = f"one of {len(slices)} slices, each of which holds a part of every matrix"
            raise BadInputError(path, found, "convert the checkpoint to Hugging Face's layout")
    return _join([open_tensor_file(path)])


def _whole_set(path: Path, part: re.Match[str], suffix: str) -> list[TensorFile]:
    """Open all files of the set that the named one says it is part of."""
    total = int(part[3])
    # A set has no more files than there are tensors; a forged number must not make a list of names.
    numbers = range(1, min(total, len(_entries(path.absolute().parent)) + 1) + 1)
    names = [f"{part[1]}-{number:05}-of-{part[3]}.{suffix}" for number in numbers]
    missing = [name for name in names if not path.with_name(name).exists()]
    if missing or total < 1:
        first = missing[0] if missing else part[3]
        found = f"a model split into {total} files, of which some are missing, first {first}"
        raise BadInputError(path, found, "put all parts into one folder")
    return [open_tensor_file(path.with_name(name)) for name in names]


def _beside(weights: Weights) -> Weights:
    """Add remarks on what lies beside the weights that are read and is not."""
    path = weights.parts[0].path
    index = path.with_name(f"{path.name}.index.json")
    notes = list(weights.notes)
    if len(weights.parts) == 1 and index.exists():
        notes.append(f"{path.name} is read, as transformers does; {index.name} beside it is not")
    if not path.name.startswith("adapter_model") and path.with_name("adapter_config.json").is_file():
        notes.append(f"an adapter lies beside {path.name}, which is read without it")
    return replace(weights, notes=tuple(notes))


def _join(parts: list[TensorFile]) -> Weights:
    """Put the tensors of several files behind one set of names.

    :raises BadInputError: If two files hold a tensor of one name and other bytes.
    """
    owner: dict[str, TensorFile] = {}
    repeated: list[str] = []
    for part in parts:
        for name in part.tensors:
            if name in owner:
                if not _same_tensor(owner[name], part, name):
                    found = f"tensor {name} is also in {owner[name].path.name}, with other numbers"
                    raise BadInputError(part.path, found, "check that the files belong to one model")
                repeated.append(name)
            owner[name] = part
    if not repeated:
        return Weights(tuple(parts), owner)
    remark = f"{len(repeated)} tensors are stored in two files, the same, first {repeated[0]}"
    return Weights(tuple(parts), owner, notes=(remark,))


def _same_tensor(first: TensorFile, second: TensorFile, name: str) -> bool:
    """Compare shape, dtype and bytes of a tensor that two files hold."""
    one, other = first.tensors[name], second.tensors[name]
    if (one.shape, one.dtype, one.nbytes) != (other.shape, other.dtype, other.nbytes):
        return False
    rows = -(-one.nbytes // _COMPARED_BYTES)
    while rows > 1 and one.nbytes % rows:
        rows += 1
    if not one.nbytes:
        return True
    left, right = first.as_bytes(name, rows), second.as_bytes(name, rows)
    return all(np.array_equal(left.stored_rows(i, i + 1), right.stored_rows(i, i + 1)) for i in range(rows))


def _open_index(index: Path) -> Weights:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BadInputError(index, "has no weight_map", "download the index again")
    for name, shard in weight_map.items():
        # An index names its neighbours; anything else could point anywhere on this machine.
        if not isinstance(shard, str) or Path(shard).name != shard or shard in ("", ".", ".."):
            found = f"places tensor {name} in {str(shard)[:80]!r}, which is no file name"
            raise BadInputError(index, found, "download the index again")
    shards = sorted(set(weight_map.values()))
    present = {s: open_tensor_file(index.with_name(s)) for s in shards if _exists(index.with_name(s))}
    if not present:
        found = f"none of its {len(shards)} shards is there, first {shards[0][:80]}"
        raise BadInputError(index, found, "download the shards into the same folder")
    joined = _join(list(present.values()))
    absent = {name: shard for name, shard in weight_map.items() if shard not in present}
    unfounded = [n for n, shard in weight_map.items() if shard in present and n not in joined.owner]
    notes = joined.notes
    if unfounded:
        notes += (
            f"the index lists {len(unfounded)} tensors that its shards do not hold, first {unfounded[0]}",
        )
    return Weights(joined.parts, joined.owner, absent, index, notes)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        return False
