"""Models named by their hub id: fetched into the hub's own cache, or taken from it when offline."""

from __future__ import annotations

import re
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import parse_json, read_text
from forensics.progress import Progress

__all__ = ["fetch_from_hub", "is_hub_id"]

#: `name` or `organisation/name`, as the hub spells them.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
#: Ends that make a name a file's; a missing file is not looked for on the hub.
_FILE_SUFFIXES = (".safetensors", ".gguf", ".bin", ".pt", ".pth", ".json", ".model", ".tiktoken", ".txt")
#: Configuration and tokenizer, in every layout that `open_tokenizer` reads.
_SMALL_FILES = ("*.json", "*.model", "*.tiktoken", "*.txt", "*.jinja")
#: Weights, in order of preference; later ones are fetched only if the repository lacks earlier ones.
_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
#: Copies of the same weights in other frameworks, and training state.
_IGNORED = ("original/*", "onnx/*", "openvino/*", "coreml/*", "*/*.json", "training_args.bin", "optimizer*")
#: An encoder exported for ONNX Runtime, with the file its weights may lie in: fetched where all else lacks.
_EXPORTS = ("model.onnx", "model.onnx_data", "onnx/model.onnx", "onnx/model.onnx_data")
#: Names of module folders that are fetched; no pattern and no way out of the repository.
_MODULE = re.compile(r"\w[\w.-]*")


def is_hub_id(name: str) -> bool:
    """Return whether `name` could be a hub id (rather than the path of something missing)."""
    return _HUB_ID.fullmatch(name) is not None and not name.lower().endswith(_FILE_SUFFIXES)


def fetch_from_hub(hub_id: str, *, offline: bool | None = None, progress: Progress | None = None) -> Path:
    """Return the local folder of a hub repository, downloading what is needed unless offline.

    :param hub_id: `organisation/name`.
    :param offline: Use the local cache only; None follows `HF_HUB_OFFLINE`.
    :param progress: Told before anything is downloaded.
    :return: The snapshot folder in the hub's cache.
    :raises BadInputError: If the repository does not exist, is gated, or cannot be reached.
    """
    from huggingface_hub import constants

    is_offline = constants.HF_HUB_OFFLINE if offline is None else offline
    if not is_offline and progress is not None:
        progress.note(f"fetching {hub_id} from the Hugging Face hub")
    folder = _snapshot(hub_id, (*_SMALL_FILES, _WEIGHTS[0]), _IGNORED, is_offline)
    if is_offline:
        return folder
    if modules := _module_folders(folder):
        inside = (*_SMALL_FILES, *_WEIGHTS[:2])
        _snapshot(
            hub_id, tuple(f"{name}/{pattern}" for name in modules for pattern in inside), (), is_offline
        )
    for patterns, ignored in (*(((weights,), _IGNORED) for weights in _WEIGHTS[1:]), (_EXPORTS, ())):
        if any(any(folder.rglob(weights)) for weights in _WEIGHTS):
            break
        _snapshot(hub_id, patterns, ignored, is_offline)
    return folder


def _module_folders(folder: Path) -> list[str]:
    """Return the folders of the modules of a sentence-transformers model, none for other models."""
    file = folder / "modules.json"
    modules = parse_json(file, read_text(file)) if file.is_file() else []
    paths = [m.get("path") for m in modules if isinstance(m, dict)] if isinstance(modules, list) else []
    return [path for path in paths if isinstance(path, str) and _MODULE.fullmatch(path)]


def _snapshot(hub_id: str, patterns: tuple[str, ...], ignored: tuple[str, ...], is_offline: bool) -> Path:
    from huggingface_hub import errors, snapshot_download

    try:
        folder = snapshot_download(
            hub_id,
            allow_patterns=list(patterns),
            ignore_patterns=list(ignored),
            local_files_only=is_offline,
        )
    except errors.GatedRepoError as error:
        remedy = "accept its terms on the hub and log in with: hf auth login"
        raise BadInputError(hub_id, "the hub repository is gated", remedy) from error
    except errors.RepositoryNotFoundError as error:
        remedy = "check the spelling, or log in if the repository is private"
        raise BadInputError(hub_id, "neither a local path nor a repository on the hub", remedy) from error
    except errors.LocalEntryNotFoundError as error:
        where = (
            "in the local hub cache (offline)"
            if is_offline
            else "in the local hub cache, nor is the hub reachable"
        )
        found = f"neither a local path nor {where}"
        raise BadInputError(hub_id, found, "check the path, or download the model while online") from error
    except (errors.HfHubHTTPError, errors.HFValidationError, OSError) as error:
        found = f"cannot be fetched from the hub ({error})"
        raise BadInputError(
            hub_id, found, "check the name and the connection, or name a local folder"
        ) from error
    return Path(folder)
