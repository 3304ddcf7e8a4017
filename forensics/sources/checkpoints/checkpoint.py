"""`open_checkpoint`: a model's embedding and unembedding, whatever its files look like.

Only headers are read, and the two matrices where it must be told whether they are one. No tensor is
loaded, nothing of the model is run, and torch is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.matrices import RowMatrix
from forensics.progress import Progress
from forensics.sources.checkpoints.adapters import find_adapter
from forensics.sources.checkpoints.config import ModelConfig, gguf_config, huggingface_config, named_code
from forensics.sources.checkpoints.embedding_names import ENCODER_EMBEDDING, IN_BLOCK
from forensics.sources.checkpoints.embeddings import (
    EmbeddingNames,
    find_embeddings,
    is_embedding_like,
    is_head_name,
)
from forensics.sources.checkpoints.layouts import Weights, open_weights
from forensics.sources.checkpoints.packings import find_packings
from forensics.sources.checkpoints.tying import (
    TyingVerdict,
    compare_matrices,
    contradiction,
    without_unembedding,
)
from forensics.sources.interface import Checkpoint, TensorInfo, Tying
from forensics.sources.locate import locate_model, model_name
from forensics.sources.tensors.block_scales import SCALE_NAMES, ZERO_POINT_NAMES, scale_matrix
from forensics.sources.tensors.number_formats import NUMBER_FORMATS

__all__ = ["open_checkpoint"]


def open_checkpoint(
    path: str | Path, *, offline: bool | None = None, progress: Progress | None = None
) -> Checkpoint:
    """Open a checkpoint without loading it.

    :param path: A Hugging Face folder, a `.safetensors`, `.gguf`, `.bin` or `.pt` file, a hub id, or
        `demo`. The format is told from content, not from the name.
    :param offline: Never download; None follows `HF_HUB_OFFLINE`. A local path never downloads.
    :param progress: Hears notes, e.g. that a download begins.
    :return: The checkpoint; its `path` is where the model was found on this machine.
    :raises BadInputError: With file, finding and remedy, if the files cannot be used.
    """
    found = locate_model(path, offline=offline, progress=progress)
    weights = open_weights(found)
    tensors = {name: file.tensors[name] for name, file in weights.owner.items()}
    config, config_file = _read_config(found, weights)
    notes = [*weights.notes, *_refuse_absent_embeddings(weights), *named_code(config.values)]
    adapter = find_adapter(weights.parts[0].path, tensors)
    if adapter is not None and (refusal := adapter.refusal(found)) is not None:
        raise refusal
    packings = find_packings(tensors, weights.owner, config.values)
    try:
        names = find_embeddings(found, {**tensors, **packings.infos}, config, packings.unread)
    except BadInputError as error:
        if adapter is None or packings.unread:
            raise
        raise adapter.without_embedding(found, tensors) from error
    if adapter is not None and not names.by_name:  # a matrix of another kind, e.g. of a prompt
        raise adapter.without_embedding(found, tensors)
    notes += names.notes
    if adapter is not None:
        notes.append(f"this is {adapter.describe()}: what it does not store is in its base model")

    def matrix(name: str, width: int | None) -> RowMatrix:
        return packings.matrices.get(name) or _matrix(weights, name, config, notes, width)

    embedding = matrix(names.embedding, config.hidden_size)
    unembedding = matrix(names.unembedding, embedding.shape[1]) if names.unembedding else None
    if adapter is not None and unembedding is None:
        text = f"no unembedding is stored; {adapter.describe()} leaves it to the base model"
        verdict = TyingVerdict(Tying.NO_HEAD, text)
    else:
        verdict = _tying(weights, names, embedding, unembedding, config)
    if remark := contradiction(verdict, config.tied):
        notes.append(remark)
    if unembedding is not None and unembedding.shape != embedding.shape:
        notes.append(
            f"embedding {list(embedding.shape)} and unembedding {list(unembedding.shape)} differ in shape"
        )

    files = [part.path for part in weights.parts]
    return Checkpoint(
        path=found,
        name=model_name(found),
        format=weights.parts[0].format,
        config=config.values,
        tensors=tensors,
        embedding=embedding,
        embedding_name=names.embedding,
        unembedding=unembedding,
        unembedding_name=names.unembedding,
        tying=verdict.tying,
        tying_evidence=verdict.evidence,
        head_bias=_head_bias(weights, names, verdict.tying),
        config_vocab_size=config.vocab_size,
        is_causal_lm=config.is_causal
        and adapter is None
        and not weights.absent
        and _has_all_blocks(tensors, config),
        files=tuple(file for file in (config_file, weights.index, *files) if file is not None),
        notes=tuple(notes),
    )


def _read_config(found: Path, weights: Weights) -> tuple[ModelConfig, Path | None]:
    """Read GGUF metadata, or the `config.json` beside the weights of a folder."""
    first = weights.parts[0]
    if first.format == "gguf":
        return gguf_config(first.metadata), None
    if not found.is_dir():
        return ModelConfig({}), None
    # Beside the weights first: sentence-transformers keeps both in a folder of their own.
    for folder in dict.fromkeys((first.path.parent, found)):
        if (folder / "config.json").is_file():
            return huggingface_config(read_json(folder / "config.json")), folder / "config.json"
    return ModelConfig({}), None


def _refuse_absent_embeddings(weights: Weights) -> list[str]:
    """Accept missing shards only if neither matrix can be in them."""
    if not weights.absent:
        return []
    for name, shard in weights.absent.items():
        if is_embedding_like(name):
            found = f"shard {shard} is missing, it holds {name}"
            raise BadInputError(weights.index or shard, found, "download that shard into the same folder")
    shards = sorted(set(weights.absent.values()))
    return [f"{len(shards)} shards are missing, first {shards[0]}; the weights alone can be examined"]


def _matrix(
    weights: Weights, name: str, config: ModelConfig, notes: list[str], width: int | None
) -> RowMatrix:
    """Return tensor `name` as rows, times its scales where it is stored in eight bits.

    :param width: How many numbers a row has to have if it is stored in integers; None if nobody knows.
    """
    file = weights.owner[name]
    stored = file.matrix(name)
    if file.format == "gguf":
        return stored
    is_integer = NUMBER_FORMATS[stored.dtype].is_integer
    if not (is_integer or stored.dtype.startswith("F8")):
        return stored
    module = name.removesuffix("weight")
    scale_name = next((module + scale for scale in SCALE_NAMES if module + scale in weights.owner), None)
    zero_name = next((module + zero for zero in ZERO_POINT_NAMES if module + zero in weights.owner), None)
    if is_integer:
        # Without a zero point unsigned bytes are several smaller numbers each, and so are rows too short.
        is_scaled = scale_name is not None and stored.dtype in (("I8", "U8") if zero_name else ("I8",))
        if not is_scaled or width not in (None, stored.shape[1]):
            raise _unread_integers(weights, name, stored)
    if scale_name is not None:
        zeros = None if zero_name is None else weights.owner[zero_name].values(zero_name)
        scales = weights.owner[scale_name].values(scale_name)
        return scale_matrix(f"{file.path} tensor {name}", stored, scales, _block_size(config.values), zeros)
    notes.append(f"{name} is stored as {stored.dtype} without a scale; its numbers are taken as they stand")
    return stored


def _unread_integers(weights: Weights, name: str, stored: RowMatrix) -> BadInputError:
    """Return the error for integers that stand for other numbers than themselves times a scale."""
    module = name.removesuffix("weight")
    beside = [other for other in weights.owner if other.startswith(module) and other != name]
    apart = f"with {', '.join(beside[:4])} in a packing that is not read" if beside else "without a scale"
    found = f"stored as {stored.dtype} integers {list(stored.shape)} {apart}, so its numbers are unknown"
    where = f"{weights.owner[name].path} tensor {name}"
    return BadInputError(where, found, "name the checkpoint before it was quantised")


def _block_size(config: Mapping[str, Any]) -> tuple[int, int] | None:
    quantization = config.get("quantization_config")
    match quantization.get("weight_block_size") if isinstance(quantization, dict) else None:
        case [int(rows), int(columns)] if rows > 0 and columns > 0:
            return rows, columns
    return None


def _tying(
    weights: Weights,
    names: EmbeddingNames,
    embedding: RowMatrix,
    unembedding: RowMatrix | None,
    config: ModelConfig,
) -> TyingVerdict:
    if unembedding is None or names.unembedding is None:
        if is_head_name(names.embedding):
            return TyingVerdict(Tying.TIED, "only the unembedding is stored, so the embedding is the same")
        is_encoder = ENCODER_EMBEDDING.search(names.embedding) is not None
        return without_unembedding(config, is_decoder_name=names.by_name and not is_encoder)
    first, second = weights.owner.get(names.embedding), weights.owner.get(names.unembedding)
    is_shared = (
        first is not None
        and first is second
        and first.offset(names.embedding) == first.offset(names.unembedding)
    )
    if is_shared and embedding.shape == unembedding.shape:
        return TyingVerdict(Tying.TIED_STORED_TWICE, "two names stand for the same bytes of the file")
    return compare_matrices(embedding, unembedding)


def _head_bias(weights: Weights, names: EmbeddingNames, tying: Tying) -> npt.NDArray[np.float32] | None:
    if names.bias is None or tying is Tying.NO_HEAD:
        return None
    return weights.owner[names.bias].values(names.bias).reshape(-1)


def _has_all_blocks(tensors: Mapping[str, TensorInfo], config: ModelConfig) -> bool:
    """Return whether as many transformer blocks are stored as the configuration claims."""
    numbers = {int(match[1]) for name in tensors if (match := IN_BLOCK.search(name))}
    return len(numbers) >= (config.block_count or 1)
