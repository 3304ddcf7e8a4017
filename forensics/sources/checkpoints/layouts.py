"""Where a model folder keeps its weights: a table of layouts, and the one that a folder has.

Safetensors come before pickles, complete files before indexes of another kind. A new layout is a new
row. An index is believed only as far as the files confirm it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.tensors.open_tensor_file import open_tensor_file
from forensics.sources.tensors.tensor_file import TensorFile

__all__ = ["FOLDER_LAYOUTS", "Weights", "open_weights"]


@dataclass(frozen=True)
class Layout:
    """One way in which a folder holds weights."""

    #: Glob below the folder; with several matches the layout does not apply, unless `is_set`.
    pattern: str
    #: Whether the file is an index of shards.
    is_index: bool = False
    #: Whether several matches are one model (the parts of a split GGUF).
    is_set: bool = False


FOLDER_LAYOUTS = (
    Layout("model.safetensors.index.json", is_index=True),
    Layout("model.safetensors"),
    Layout("*.safetensors.index.json", is_index=True),
    Layout("consolidated.safetensors"),
    Layout("*.safetensors"),
    Layout("pytorch_model.bin.index.json", is_index=True),
    Layout("pytorch_model.bin"),
    Layout("*.gguf"),
    Layout("*-00001-of-*.gguf", is_set=True),
    Layout("*.bin.index.json", is_index=True),
    Layout("*.bin"),
    Layout("*.pt"),
    Layout("*.pth"),
    # sentence-transformers folders whose first module has a folder of its own
    Layout("0_*/model.safetensors"),
    Layout("0_*/pytorch_model.bin"),
)
#: The image half of a GGUF vision model, which lies beside the language half.
_PROJECTOR = re.compile(r"mmproj")
_GGUF_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")


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
        found = [entry for entry in sorted(path.glob(layout.pattern)) if not _PROJECTOR.match(entry.name)]
        if len(found) == 1 or (found and layout.is_set):
            return _open_index(found[0]) if layout.is_index else _open_file(found[0])
        several = several or found
    if several:
        found_text = f"{len(several)} weights files and no index: {_listing(several)}"
        raise BadInputError(path, found_text, "name one of the files")
    looked_for = ", ".join(layout.pattern for layout in FOLDER_LAYOUTS)
    there = _listing(_entries(path)) or "nothing"
    found_text = f"no weights found; looked for {looked_for}; the folder holds {there}"
    raise BadInputError(path, found_text, "name a model folder, or one weights file in it")


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
    part = _GGUF_PART.fullmatch(path.name)
    if part is None:
        return _join([open_tensor_file(path)])
    total = int(part[3])
    names = [f"{part[1]}-{number:05}-of-{part[3]}.gguf" for number in range(1, total + 1)]
    missing = [name for name in names if not path.with_name(name).exists()]
    if missing:
        found = f"a model split into {total} files, of which {len(missing)} are missing, first {missing[0]}"
        raise BadInputError(path, found, "put all parts into one folder")
    return _join([open_tensor_file(path.with_name(name)) for name in names])


def _join(parts: list[TensorFile]) -> Weights:
    owner: dict[str, TensorFile] = {}
    for part in parts:
        for name in part.tensors:
            if name in owner:
                found = f"tensor {name} is also in {owner[name].path.name}"
                raise BadInputError(part.path, found, "check that the files belong to one model")
            owner[name] = part
    return Weights(tuple(parts), owner)


def _open_index(index: Path) -> Weights:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BadInputError(index, "has no weight_map", "download the index again")
    for name, shard in weight_map.items():
        # An index names its neighbours; anything else could point anywhere on this machine.
        if not isinstance(shard, str) or Path(shard).name != shard or shard in ("", ".", ".."):
            found = f"places tensor {name} in {shard!r}, which is no file name"
            raise BadInputError(index, found, "download the index again")
    shards = sorted(set(weight_map.values()))
    present = {s: open_tensor_file(index.with_name(s)) for s in shards if index.with_name(s).exists()}
    if not present:
        found = f"none of its {len(shards)} shards is there, first {shards[0]}"
        raise BadInputError(index, found, "download the shards into the same folder")
    for name, shard in weight_map.items():
        if shard in present and name not in present[shard].tensors:
            found = f"places tensor {name} in {shard}, which does not hold it"
            raise BadInputError(index, found, "index and shards are of different models; download again")
    joined = _join(list(present.values()))
    absent = {name: shard for name, shard in weight_map.items() if shard not in present}
    return Weights(joined.parts, joined.owner, absent, index)
