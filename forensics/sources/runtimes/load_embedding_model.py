"""Loading an embedding model: by sentence-transformers where it is installed, else by transformers.

A folder with no weights but an ONNX export is filled from that, see `onnx_weights`.
Nothing is downloaded and no code of the folder runs in either case. Where the caller states the pooling there
is no vector of sentence-transformers to be compared with, and transformers loads the folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, ForensicsError
from forensics.progress import Progress
from forensics.sources.runtimes.embedding_layout import EmbeddingLayout
from forensics.sources.runtimes.onnx_weights import fill_from_export, find_export
from forensics.sources.runtimes.sentence_transformers_check import is_installed, load_by_library
from forensics.sources.runtimes.transformers_runtime import (
    check_dtype,
    choose_device,
    import_libraries,
    loading_options,
    quiet,
    reason_of,
    refuse_random_weights,
    without_named_code,
)

__all__ = ["LoadedModel", "load_embedding_model"]

#: Outputs that no pooling here reads; many models are saved without the weights for them.
_UNUSED = "pooler"
#: Model type -> the class that runs the encoder alone, as sentence-transformers chooses it.
_ENCODERS = {"t5": "T5EncoderModel", "mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel"}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A transformer with its tokenizer, and what loaded them."""

    model: Any
    tokenizer: Any
    #: The `SentenceTransformer`, where that library did it.
    library: Any = None


def load_embedding_model(
    folder: Path, layout: EmbeddingLayout, device: str, dtype: str, threads: int | None, progress: Progress
) -> LoadedModel:
    """Load the transformer and its tokenizer.

    :param folder: The model's folder.
    :param layout: What its files say.
    :param device: A torch device, or `auto`.
    :param dtype: A dtype, or `auto`.
    :param threads: Threads of torch, for the whole process; None leaves them alone.
    :param progress: Where to report.
    :raises BadInputError: If it cannot be loaded, lacks weights, or is an encoder-decoder.
    """
    transformers, torch = import_libraries()
    check_dtype(dtype)
    target = choose_device(torch, device)
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = dtype if dtype != "auto" else ("float32" if target.type == "cpu" else "bfloat16")
    options = loading_options(transformers, getattr(torch, chosen))
    try:
        with quiet(transformers):
            found = _by_library(folder, layout, target, options, progress)
            if found is None:
                found = _by_transformers(transformers, layout, options, progress)
    except ForensicsError:
        raise
    except Exception as error:  # whichever of transformers' checks fails, the reader wants its words
        said = f"transformers cannot load it ({reason_of(error)})"
        raise BadInputError(
            layout.transformer, said, "check the folder's config.json, weights and tokenizer"
        ) from error
    if getattr(found.model, "decoder", None) is not None:
        raise BadInputError(layout.transformer, "is an encoder-decoder", "name a text-embedding model")
    return LoadedModel(found.model.to(target).eval(), found.tokenizer, found.library)


def _by_library(
    folder: Path, layout: EmbeddingLayout, device: Any, options: dict[str, Any], progress: Progress
) -> LoadedModel | None:
    """Have sentence-transformers load the folder; None where it is not installed or cannot."""
    if not layout.is_complete or not is_installed() or find_export(layout.transformer) is not None:
        return None
    try:
        library = load_by_library(folder, device, options)
    except Exception as error:  # the folder may still be one that transformers alone can load
        progress.note(
            f"sentence-transformers cannot load the model ({reason_of(error)}); not compared with it."
        )
        return None
    model = library[0].auto_model
    # The library does not tell what it filled at random; its own class says so when it is asked again.
    _load_complete(type(model), layout.transformer, model.config, options)
    return LoadedModel(model, library.tokenizer, library)


def _by_transformers(
    transformers: Any, layout: EmbeddingLayout, options: dict[str, Any], progress: Progress
) -> LoadedModel:
    """Load model and tokenizer with transformers alone."""
    only = {name: options[name] for name in ("local_files_only", "trust_remote_code")}
    config = transformers.AutoConfig.from_pretrained(layout.transformer, **only)
    without_named_code(config)
    loader = getattr(transformers, _ENCODERS.get(config.model_type, "AutoModel"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(layout.transformer, **only)
    export = find_export(layout.transformer)
    if export is None:
        return LoadedModel(_load_complete(loader, layout.transformer, config, options), tokenizer)
    model = loader.from_config(config) if hasattr(loader, "from_config") else loader(config)
    fill_from_export(model.eval(), export, progress, _UNUSED)
    return LoadedModel(model.to(options.get("dtype", options.get("torch_dtype"))), tokenizer)


def _load_complete(loader: Any, transformer: Path, config: Any, options: dict[str, Any]) -> Any:
    """Load a transformer that needs no random numbers to be complete."""
    model, report = loader.from_pretrained(transformer, config=config, output_loading_info=True, **options)
    refuse_random_weights(transformer, report, "complete the folder: its weights are not all there", _UNUSED)
    return model
