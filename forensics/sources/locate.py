"""From what a user typed to a path on this machine, and to a name fit for a results folder."""

from __future__ import annotations

import re
from pathlib import Path

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.demo import DEMO, demo_model
from forensics.sources.hub import fetch_from_hub, is_hub_id

__all__ = ["locate_model", "model_name"]

#: File and folder names that say nothing about the model in them.
_PLAIN_NAMES = re.compile(
    r"(?:model|pytorch_model|consolidated|weights|checkpoint|final|last|tokenizer|vocab|spiece|snapshots"
    r"|consolidated\.\d+|model-\d+-of-\d+)?"
)
_PART_SUFFIX = re.compile(r"-\d{5}-of-\d{5}$")
#: Bytes of a file that names a revision: a hash or a branch.
_LONGEST_REVISION = 256
_HUB_CACHE_FOLDER = re.compile(r"models--(.+)")


def locate_model(path: str | Path, *, offline: bool | None = None, progress: Progress | None = None) -> Path:
    """Find a model or tokenizer: a local path first, then `demo`, then a hub id.

    :param path: A path, `demo`, or a hub id.
    :param offline: Never download; None follows `HF_HUB_OFFLINE`.
    :param progress: Told before anything is downloaded.
    :return: An existing file or folder.
    :raises BadInputError: If it is none of the three, or `demo` and its package is not installed.
    """
    local = Path(path).expanduser()
    try:
        if local.exists() or local.is_symlink():
            return _snapshot_of_cache(local)
    except (OSError, ValueError) as error:  # too long a name, no right to look, a NUL in it
        found = f"cannot be looked up ({error})"
        raise BadInputError(path, found, "check the path and its permissions") from error
    if isinstance(path, str) or not path.is_absolute():
        name = str(path)
        if name == DEMO:
            return demo_model()
        if is_hub_id(name):
            return fetch_from_hub(name, offline=offline, progress=progress)
    raise BadInputError(
        path, "no such file or folder", "check the path, or give a hub id (organisation/name)"
    )


def _snapshot_of_cache(path: Path) -> Path:
    """Return the snapshot that a folder of the hub's cache stands for, any other path as it is.

    A repository's folder (`models--organisation--name`) stands for the revision that its `refs/main` names,
    or for its only one.

    :raises BadInputError: If it holds several revisions and no `refs/main`, or is the whole cache.
    """
    if not path.is_dir():
        return path
    repository = path.parent if path.name == "snapshots" else path
    if (repository / "snapshots").is_dir() and not (repository / "config.json").exists():
        main = repository / "refs" / "main"
        if main.is_file() and main.stat().st_size <= _LONGEST_REVISION:
            named = repository / "snapshots" / main.read_text(encoding="utf-8", errors="replace").strip()
            if named.is_dir() and named.parent == repository / "snapshots":
                return named
        revisions = sorted(entry for entry in (repository / "snapshots").iterdir() if entry.is_dir())
        if len(revisions) == 1:
            return revisions[0]
        found = f"a folder of the hub's cache with {len(revisions)} snapshots and no refs/main among them"
        raise BadInputError(path, found, "name one folder below snapshots/, or download the model again")
    cached = sorted(entry.name for entry in path.glob("models--*"))
    if cached and not (path / "config.json").exists():
        found = f"the hub's cache of {len(cached)} models, first {cached[0]}"
        raise BadInputError(path, found, "name the folder of one of them")
    return path


def model_name(path: Path) -> str:
    """Return a short name for what is at `path`, of letters, digits, `.`, `_` and `-`.

    >>> model_name(Path("/models/SmolLM2-135M.Q4_1.gguf"))
    'SmolLM2-135M.Q4_1'
    >>> model_name(Path("/models/pythia-70m/model.safetensors"))
    'pythia-70m'
    """
    path = path.absolute()
    for part in path.parts:
        if cached := _HUB_CACHE_FOLDER.fullmatch(part):
            return _slug(cached[1])
    is_file = path.suffix in (".gguf", ".safetensors", ".bin", ".pt", ".pth", ".json", ".model", ".tiktoken")
    names = [_PART_SUFFIX.sub("", path.stem) if is_file else path.name, *(p.name for p in path.parents)]
    return _slug(next((name for name in names if not _PLAIN_NAMES.fullmatch(name)), "model"))


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
