"""The sentence-transformers folder layout: what happens to a text before and after the transformer.

Everything that `encode` obeys is read, and nothing is executed: the modules and their order, the length
limit, lower-casing, the default prompt, the dimensions that are kept. Whatever is not known here is refused
and never left out in silence: a module of another kind, a class of the folder's own (which would be code
from the folder), a setting with an effect. A folder without `modules.json` is an encoder whose pooling the
caller has to state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import parse_json, read_json, read_text
from forensics.sources.checkpoints.config import named_code
from forensics.sources.runtimes.pooling import Pooling, PoolingConfig, read_pooling, stated_pooling

__all__ = ["EmbeddingLayout", "LaterStep", "StepKind", "read_embedding_layout"]

_LIBRARY = "sentence_transformers."
#: Names of the transformer module's configuration, the first that is there counts.
_TRANSFORMER_CONFIGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
#: Keys of it that change no vector of a text, or are read below.
_KNOWN_KEYS = frozenset(
    {"max_seq_length", "do_lower_case", "unpad_inputs", "query_length", "document_length", "query_expansion"}
)
#: Keys that may only say what is done here anyway.
_PLAIN_TEXT = {"method": "forward", "method_output_name": "last_hidden_state"}
_AS_DONE_HERE: Mapping[str, tuple[Any, ...]] = {
    "transformer_task": ("feature-extraction",),
    "module_output_name": ("token_embeddings",),
    "modality_config": ({"text": _PLAIN_TEXT},),
}
#: Arguments for loading that change no vector in float32; old and new names of one thing.
_LOADING_ARGUMENTS = {
    ("model_args", "model_kwargs"): frozenset({"torch_dtype", "dtype", "add_pooling_layer"}),
    ("tokenizer_args", "processor_kwargs"): frozenset({"model_max_length", "padding_side"}),
    ("config_args", "config_kwargs"): frozenset(),
}


class StepKind(StrEnum):
    """What may follow the pooling."""

    #: A linear layer with an activation.
    DENSE = "Dense"
    #: Vectors are scaled to length 1.
    NORMALIZE = "Normalize"


@dataclass(frozen=True)
class LaterStep:
    """One module after the pooling."""

    kind: StepKind
    #: Where its configuration and weights are.
    folder: Path


@dataclass(frozen=True)
class EmbeddingLayout:
    """What the files around an encoder say about making sentence embeddings with it."""

    #: Where the transformer's own configuration and weights are.
    transformer: Path
    #: The pooling, from the folder or from the caller.
    pooling: PoolingConfig
    #: Who said so, for the report.
    pooling_origin: str
    #: Whether the folder itself says all there is to say, and names no code to run, so that `encode` gives
    #: these very vectors.
    is_complete: bool = False
    #: What follows the pooling, in order.
    later: tuple[LaterStep, ...] = ()
    #: The longest text in tokens that these files allow, special tokens included; None if they are silent.
    max_length: int | None = None
    #: Whether texts are put into lower case, whatever the tokenizer does.
    lower_case: bool = False
    #: What is put before every text.
    prompt: str = ""
    #: The number of leading dimensions that are kept; None for all.
    dimensions: int | None = None
    #: Every file that was read here.
    files: tuple[Path, ...] = ()
    #: Remarks a reader of the report should see.
    notes: tuple[str, ...] = ()


def read_embedding_layout(folder: Path, pooling: str | None = None) -> EmbeddingLayout:
    """Return how the model in `folder` turns texts into vectors.

    :param folder: A sentence-transformers folder, or a Hugging Face folder of an encoder.
    :param pooling: `mean`, `cls`, `last` or `max`, for a folder that does not say.
    :raises BadInputError: If nothing states the pooling, or the folder asks for what is not known here.
    """
    if not folder.is_dir():
        raise BadInputError(folder, "is no folder", "name the folder of a text-embedding model")
    stated = None if pooling is None else stated_pooling(pooling)
    if not (folder / "modules.json").is_file():
        return _plain_folder(folder, stated)
    transformer, pool, later = _modules(folder)
    _refuse_adapter(transformer)
    read: list[Path] = []
    if stated is not None:
        config, origin = PoolingConfig((stated,)), "the user"
    elif pool is None:
        found = "lists no Pooling module, so nothing states how token vectors are pooled"
        raise BadInputError(folder / "modules.json", found, "state it with `pooling`: mean, cls or last")
    else:
        read = [pool / "config.json"]
        config, origin = read_pooling(read[0]), f"{pool.name}/config.json"
    max_length, lower_case, of_transformer = _transformer_settings(transformer)
    prompt, dimensions, notes, of_model = _model_settings(folder)
    code = _named_code(transformer)
    dense = [step.folder / "config.json" for step in later if step.kind is StepKind.DENSE]
    return EmbeddingLayout(
        transformer=transformer,
        pooling=config,
        pooling_origin=origin,
        is_complete=stated is None and not code,
        later=later,
        max_length=max_length,
        lower_case=lower_case,
        prompt=prompt,
        dimensions=dimensions,
        files=(folder / "modules.json", *read, *dense, *of_transformer, *of_model),
        notes=(*notes, *code),
    )


def _named_code(transformer: Path) -> tuple[str, ...]:
    """Return remarks on what the transformer's configuration names as code to run."""
    file = transformer / "config.json"
    return tuple(named_code(read_json(file))) if file.is_file() else ()


def _plain_folder(folder: Path, pooling: Pooling | None) -> EmbeddingLayout:
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
    _refuse_adapter(folder)
    code = _named_code(folder)
    return EmbeddingLayout(folder, PoolingConfig((pooling,)), "the user", files=(config_file,), notes=code)


def _modules(folder: Path) -> tuple[Path, Path | None, tuple[LaterStep, ...]]:
    """Return the folders of the transformer and of the pooling, and what follows, refusing other orders."""
    file = folder / "modules.json"
    modules = parse_json(file, read_text(file))
    if not isinstance(modules, list) or not all(isinstance(m, dict) for m in modules):
        raise BadInputError(file, "no list of modules", "the file is damaged")
    kinds = [_kind(file, str(module.get("type", ""))) for module in modules]
    folders = [_inside(file, str(module.get("path", ""))) for module in modules]
    kept = [(kind, place) for kind, place in zip(kinds, folders, strict=True) if kind != "Dropout"]
    if not kept or kept[0][0] != "Transformer":
        raise BadInputError(
            file, "does not begin with a Transformer module", "name a transformer-based embedding model"
        )
    pool = next((place for kind, place in kept[1:2] if kind == "Pooling"), None)
    rest = kept[1:] if pool is None else kept[2:]
    misplaced = next((kind for kind, _ in rest if kind not in set(StepKind)), None)
    if misplaced is not None:
        found = f"has the module {misplaced} in an unusual place"
        raise BadInputError(file, found, "use a model of Transformer, Pooling and what follows")
    return kept[0][1], pool, tuple(LaterStep(StepKind(kind), place) for kind, place in rest)


def _kind(file: Path, name: str) -> str:
    """Return what a module is; a class that is not the library's own is not taken for it."""
    kind = name.rpartition(".")[2]
    if not name.startswith(_LIBRARY) or kind not in ("Transformer", "Pooling", "Dropout", *StepKind):
        raise BadInputError(
            file,
            f"asks for the module {name!r}, which is not supported",
            f"use a model of Transformer, Pooling, {' and '.join(StepKind)}",
        )
    return kind


def _inside(file: Path, name: str) -> Path:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadInputError(file, f"names the folder {name!r} outside the model", "do not trust it")
    return file.parent / path


def _refuse_adapter(transformer: Path) -> None:
    file = transformer / "adapter_config.json"
    if file.is_file():
        found = "is an adapter, whose vectors are those of another model with it"
        raise BadInputError(file, found, "merge the adapter into its model and save that")


def _transformer_settings(transformer: Path) -> tuple[int | None, bool, tuple[Path, ...]]:
    """Return the length limit, whether texts are lower-cased, and the file that says so."""
    for file in (transformer / name for name in _TRANSFORMER_CONFIGS):
        if not file.is_file():
            continue
        settings = read_json(file)
        if settings:
            length = _refuse_unknown(file, settings)
            return length, bool(settings.get("do_lower_case")), (file,)
    return None, False, ()


def _refuse_unknown(file: Path, settings: Mapping[str, Any]) -> int | None:
    """Return the length limit, refusing settings that might change a vector."""
    length = settings.get("max_seq_length")
    for key, value in settings.items():
        names = next((names for names in _LOADING_ARGUMENTS if key in names), None)
        if names is not None and isinstance(value, dict):
            asked = [name for name, each in value.items() if name not in _LOADING_ARGUMENTS[names] and each]
            length = value.get("model_max_length", length)
        elif key in _AS_DONE_HERE:
            asked = [] if value in _AS_DONE_HERE[key] else [key]
        else:
            asked = [] if key in _KNOWN_KEYS or value in (None, False, {}, []) else [key]
        if asked:
            found = f"asks for {', '.join(asked[:5])}, which is not supported"
            raise BadInputError(file, found, "use a model without it")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool) or length < 1):
        raise BadInputError(file, f"has the length limit {length!r}", "give a whole number of tokens")
    return length


def _model_settings(folder: Path) -> tuple[str, int | None, tuple[str, ...], tuple[Path, ...]]:
    """Return the prompt, the dimensions kept, remarks, and the file that says so."""
    file = folder / "config_sentence_transformers.json"
    if not file.is_file():
        return "", None, (), ()
    settings = read_json(file)
    kind = settings.get("model_type", "SentenceTransformer")
    if kind != "SentenceTransformer":
        raise BadInputError(file, f"is a {kind}, which gives no vector of a text", "name an embedding model")
    prompts = settings.get("prompts") or {}
    default = settings.get("default_prompt_name")
    if not isinstance(prompts, dict) or (default is not None and default not in prompts):
        raise BadInputError(file, f"names the default prompt {default!r}, which it lacks", "mend the file")
    prompt = str(prompts[default] or "") if default is not None else ""
    dimensions = settings.get("truncate_dim")
    if dimensions is not None and (not isinstance(dimensions, int) or dimensions < 1):
        raise BadInputError(file, f"has the truncate_dim {dimensions!r}", "give a whole number of dimensions")
    notes = []
    if prompt:
        notes.append(f"The model puts the prompt {prompt!r} before every text; so was done here.")
    elif any(prompts.values()):
        named = ", ".join(repr(name) for name, text in prompts.items() if text)
        notes.append(f"The model has prompts ({named}) that `encode` adds on request only; none was added.")
    if dimensions is not None:
        notes.append(f"The model keeps the first {dimensions:,} dimensions of a vector; so was done here.")
    similarity = settings.get("similarity_fn_name") or "cosine"
    if similarity != "cosine":
        notes.append(f"The model asks for the similarity {similarity!r}; cosines were measured here.")
    return prompt, dimensions, tuple(notes), (file,)
