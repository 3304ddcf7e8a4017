"""The sentence-transformers folder layout: which modules follow the transformer, read and never executed.

`modules.json` lists modules by Python class; only the four kinds below are known here, by the last part
of their name, and anything else is refused: a class of the folder's own would be code from the folder.
A folder without `modules.json` is an encoder whose pooling the caller has to state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, OptionError
from forensics.sources.texts.text_files import parse_json, read_text

__all__ = ["EmbeddingLayout", "Pooling", "read_embedding_layout"]


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one vector."""

    #: Their mean, special tokens included.
    MEAN = "mean"
    #: The vector of the first token.
    CLS = "cls"
    #: The vector of the last token, as decoder embedders have it.
    LAST = "last"
    #: The largest value of every dimension.
    MAX = "max"


#: Keys of `1_Pooling/config.json` -> what they ask for.
_POOLING_KEYS = {
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_cls_token": Pooling.CLS,
    "pooling_mode_lasttoken": Pooling.LAST,
    "pooling_mode_max_tokens": Pooling.MAX,
}
_UNSUPPORTED_KEYS = ("pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens")
_CONFIGS_OF_LENGTH = ("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_xlm_config.json")


@dataclass(frozen=True)
class EmbeddingLayout:
    """What the files around an encoder say about making sentence embeddings with it."""

    #: Where the transformer's own configuration and weights are.
    transformer: Path
    #: The pooling, from the folder or from the caller.
    pooling: Pooling
    #: Who said so, for the report.
    pooling_origin: str
    #: The longest text in tokens that the folder allows, special tokens included; None if it is silent.
    max_length: int | None
    #: Every file that was read here.
    files: tuple[Path, ...]


def read_embedding_layout(folder: Path, pooling: str | None = None) -> EmbeddingLayout:
    """Return how the model in `folder` turns texts into vectors.

    :param folder: A sentence-transformers folder, or a Hugging Face folder of an encoder.
    :param pooling: `mean`, `cls`, `last` or `max`, for a folder that does not say.
    :raises BadInputError: If nothing states the pooling, or the folder asks for a module that is not
        known here.
    """
    if not folder.is_dir():
        raise BadInputError(folder, "is no folder", "name the folder of a text-embedding model")
    if pooling is not None and pooling not in set(Pooling):
        raise OptionError("pooling", f"found {pooling!r}", f"give one of {', '.join(Pooling)}")
    modules_file = folder / "modules.json"
    if not modules_file.is_file():
        return _plain_folder(folder, pooling)
    modules = parse_json(modules_file, read_text(modules_file))
    kinds = _kinds(modules_file, modules)
    transformer = folder / kinds["Transformer"]
    files = [modules_file]
    stated, origin = pooling, "the user"
    if stated is None:
        config_file = folder / kinds.get("Pooling", "1_Pooling") / "config.json"
        stated = _pooling(config_file, parse_json(config_file, read_text(config_file)))
        origin = f"{config_file.parent.name}/config.json"
        files.append(config_file)
    max_length = None
    for name in _CONFIGS_OF_LENGTH:
        if (transformer / name).is_file():
            values = parse_json(transformer / name, read_text(transformer / name))
            found = values.get("max_seq_length") if isinstance(values, dict) else None
            max_length = found if isinstance(found, int) and found > 0 else None
            files.append(transformer / name)
            break
    return EmbeddingLayout(transformer, Pooling(stated), origin, max_length, tuple(files))


def _plain_folder(folder: Path, pooling: str | None) -> EmbeddingLayout:
    config_file = folder / "config.json"
    if not config_file.is_file():
        found = "neither modules.json nor config.json"
        raise BadInputError(folder, found, "name the folder of a text-embedding model")
    config = parse_json(config_file, read_text(config_file))
    if pooling is None:
        architectures = config.get("architectures") if isinstance(config, dict) else None
        what = ", ".join(map(str, architectures)) if isinstance(architectures, list) else "a model"
        raise BadInputError(
            folder,
            f"holds {what} without modules.json, so nothing states how token vectors are pooled",
            "state it with `pooling`: mean, cls or last (last for a decoder)",
        )
    return EmbeddingLayout(folder, Pooling(pooling), "the user", None, (config_file,))


def _kinds(file: Path, modules: Any) -> dict[str, str]:
    """Return module kind -> its folder, refusing kinds that are not known."""
    if not isinstance(modules, list) or not all(isinstance(m, dict) for m in modules):
        raise BadInputError(file, "no list of modules", "the file is damaged")
    kinds: dict[str, str] = {}
    for module in modules:
        kind = str(module.get("type", "")).rsplit(".", 1)[-1]
        path = Path(str(module.get("path", "")))
        if kind not in ("Transformer", "Pooling", "Normalize"):
            raise BadInputError(
                file,
                f"asks for the module {module.get('type')!r}, which is not supported",
                "use a model of Transformer, Pooling and Normalize",
            )
        if path.is_absolute() or ".." in path.parts:
            raise BadInputError(file, f"names the folder {str(path)!r} outside the model", "do not trust it")
        kinds[kind] = str(path)
    if "Transformer" not in kinds:
        raise BadInputError(file, "lists no Transformer module", "name a transformer-based embedding model")
    return kinds


def _pooling(file: Path, config: Any) -> Pooling:
    """Return the one pooling mode that the configuration switches on."""
    if not isinstance(config, Mapping):
        raise BadInputError(file, "no JSON object", "the file is damaged")
    # sentence-transformers 5 writes the mode as a word; before, one boolean stood for each.
    word = config.get("pooling_mode")
    named = {"mean": Pooling.MEAN, "cls": Pooling.CLS, "lasttoken": Pooling.LAST, "max": Pooling.MAX}
    modes = [named[word]] if word in named else [m for key, m in _POOLING_KEYS.items() if config.get(key)]
    other = [key for key in _UNSUPPORTED_KEYS if config.get(key)]
    if len(modes) != 1 or other:
        asked = [*map(str, modes), *other]
        found = f"asks for the pooling modes {asked}, where one of {[*map(str, Pooling)]} is supported"
        raise BadInputError(file, found, "state it with `pooling`")
    return modes[0]
