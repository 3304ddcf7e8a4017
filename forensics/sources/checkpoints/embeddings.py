"""Which of a checkpoint's tensors are the embedding and the unembedding.

Names are tried first, then shapes; the configuration's vocabulary size and width decide between
several. What was not chosen is said, and where nothing fits the largest matrices are listed, because
a guess here would make every number after it wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.checkpoints.config import ModelConfig
from forensics.sources.checkpoints.embedding_names import (
    EMBEDDING_NAMES,
    HEAD_BIASES,
    HEAD_NAMES,
    IN_BLOCK,
    OTHER_MODALITY,
    fits,
)
from forensics.sources.checkpoints.hidden_matrices import hidden_matrix
from forensics.sources.interface import TensorInfo

__all__ = ["EmbeddingNames", "find_embeddings", "is_embedding_like", "is_head_name"]

#: The remedy for a matrix in a packing that is not read.
_UNPACK = "name the checkpoint before it was quantised"
#: Parts of a name that tell an unembedding where only its shape is known.
_HEAD_WORDS = ("head", "out", "unembed", "logit", "proj", "decoder")


@dataclass(frozen=True)
class EmbeddingNames:
    """The chosen tensors."""

    #: The tensor that is `E_in`.
    embedding: str
    #: The tensor that is `E_out`, or None where none is stored.
    unembedding: str | None
    #: The head's bias, or None.
    bias: str | None
    #: Whether the name of `E_in`, and not only its shape, told what it is.
    by_name: bool
    #: What was found besides.
    notes: tuple[str, ...]


def find_embeddings(
    where: Path,
    tensors: Mapping[str, TensorInfo],
    config: ModelConfig,
    unread: Mapping[str, str] | None = None,
) -> EmbeddingNames:
    """Find `E_in`, `E_out` and the bias among a checkpoint's tensors.

    :param where: The checkpoint, for the message.
    :param tensors: All of its tensors, packed ones as what they unpack to.
    :param config: What the configuration claims.
    :param unread: Name of a weight that is stored in a packing that is not read -> that packing.
    :return: The names.
    :raises BadInputError: If nothing can be the embedding (lists the largest matrices), or one of the two
        matrices is there and is not read.
    """
    notes: list[str] = []
    unread = unread or {}
    tensors = {name: info for name, info in tensors.items() if name not in unread}
    named = _rank_embeddings(tensors, config)
    by_name = bool(named)
    if hidden := _unread_embedding(tensors, named, config, unread):
        raise BadInputError(where, f"the embedding is stored as {unread[hidden]}, which is not read", _UNPACK)
    if not named and (stored := _hidden_embedding(tensors, config)):
        raise BadInputError(where, f"the embedding is stored as {stored}, which is not read", _UNPACK)
    candidates = named or _by_shape(tensors, config)
    if not candidates:
        raise BadInputError(where, *_nothing_found(tensors, config))
    embedding = candidates[0]
    only_head = not by_name and is_head_name(embedding)
    if only_head and config.tied is False:
        alone = f"no token embedding, only the unembedding {embedding}, and the configuration says untied"
        raise BadInputError(where, alone, "complete the checkpoint: its embedding is missing")
    if only_head:
        notes.append(f"only the unembedding {embedding} is stored; the embedding of a tied model is the same")
    elif not by_name:
        shape = list(tensors[embedding].shape)
        notes.append(f"no known embedding name; took {embedding} for the embedding by its shape {shape}")
    unembedding = _find_head(tensors, embedding, config) or (
        None if by_name else _shape_twin(tensors, embedding, candidates)
    )
    if unembedding is None and (head := _unread_head(tensors, embedding, unread)):
        # To go on would call the model tied, or without a head, which it is not.
        raise BadInputError(where, f"the unembedding is stored as {head}, which is not read", _UNPACK)
    others = [name for name in candidates[1:] if name != unembedding]
    if others:
        listed = ", ".join(f"{name} {list(tensors[name].shape)}" for name in others[:4])
        notes.append(f"several embeddings found; took {embedding}, left {listed}")
    bias = _find_bias(tensors, tensors[unembedding or embedding].shape[0])
    return EmbeddingNames(embedding, unembedding, bias, by_name, tuple(notes))


def is_embedding_like(name: str) -> bool:
    """Return whether `name` is one of an embedding or an unembedding (for shards that are absent)."""
    if IN_BLOCK.search(name) or OTHER_MODALITY.search(name):
        return False
    return any(fits(name, s) for s in EMBEDDING_NAMES) or any(fits(name, h.suffix) for h in HEAD_NAMES)


def is_head_name(name: str) -> bool:
    """Return whether `name` is one that only an unembedding has."""
    return any(head.is_certain and fits(name, head.suffix) for head in HEAD_NAMES)


def _unread_embedding(
    tensors: Mapping[str, TensorInfo], named: list[str], config: ModelConfig, unread: Mapping[str, str]
) -> str | None:
    """Return the unread weight that is the embedding, unless a readable one has the vocabulary's rows."""
    hidden = [name for name in unread if any(fits(name, suffix) for suffix in EMBEDDING_NAMES)]
    if not hidden:
        return None
    best = named[0] if named else None
    if best is not None and config.vocab_size is not None and tensors[best].shape[0] == config.vocab_size:
        return None
    return hidden[0]


def _unread_head(tensors: Mapping[str, TensorInfo], embedding: str, unread: Mapping[str, str]) -> str | None:
    """Return how a head is stored that is there and cannot be taken for one."""
    for name, packing in unread.items():
        if any(fits(name, head.suffix) for head in HEAD_NAMES):
            return packing
    for name, info in tensors.items():
        if (
            is_head_name(name)
            and name != embedding
            and not IN_BLOCK.search(name)
            and not OTHER_MODALITY.search(name)
        ):
            return f"{name} {list(info.shape)} {info.dtype}"
    modules = [head.suffix.removesuffix(".weight") for head in HEAD_NAMES if head.is_certain]
    return hidden_matrix(tensors, modules, tensors[embedding].shape, apart_from=embedding)


def _hidden_embedding(tensors: Mapping[str, TensorInfo], config: ModelConfig) -> str | None:
    """Return how an embedding is stored that no plain weight stands for."""
    if config.vocab_size is None or config.hidden_size is None:
        return None
    modules = [suffix.removesuffix(".weight") for suffix in EMBEDDING_NAMES if suffix.endswith(".weight")]
    shape = (config.vocab_size, config.hidden_size)
    # A plain matrix of that shape under a name of its own is found by its shape.
    others = {name: i for name, i in tensors.items() if i.shape != shape or not name.endswith(".weight")}
    return hidden_matrix(others, modules, shape)


def _rank_embeddings(tensors: Mapping[str, TensorInfo], config: ModelConfig) -> list[str]:
    """Return the tensors with an embedding's name, the most fitting first."""

    def order(name: str) -> tuple[object, ...]:
        shape = tensors[name].shape
        place = next(i for i, suffix in enumerate(EMBEDDING_NAMES) if fits(name, suffix))
        return (
            OTHER_MODALITY.search(name) is not None,
            IN_BLOCK.search(name) is not None,
            shape[0] != config.vocab_size,
            shape[1] != config.hidden_size,
            place,
            name.count("."),
            name,
        )

    named = (n for n in _matrices(tensors) if any(fits(n, suffix) for suffix in EMBEDDING_NAMES))
    return sorted(named, key=order)


def _by_shape(tensors: Mapping[str, TensorInfo], config: ModelConfig) -> list[str]:
    """Return the matrices whose shape can only be an embedding's, heads last."""
    matrices = [name for name in _matrices(tensors) if not IN_BLOCK.search(name)]
    if config.vocab_size is not None:
        fitting = [
            name
            for name in matrices
            if tensors[name].shape[0] == config.vocab_size
            and config.hidden_size in (None, tensors[name].shape[1])
        ]
        return sorted(fitting, key=lambda name: (any(word in name for word in _HEAD_WORDS), name))
    # Without a configuration, a matrix that is alone in its file leaves no choice.
    return matrices if len(matrices) == 1 else []


def _find_head(tensors: Mapping[str, TensorInfo], embedding: str, config: ModelConfig) -> str | None:
    rows, width = tensors[embedding].shape
    ranked: list[tuple[tuple[object, ...], str]] = []
    for name in _matrices(tensors):
        if name == embedding or IN_BLOCK.search(name):
            continue
        place = next((i for i, head in enumerate(HEAD_NAMES) if fits(name, head.suffix)), None)
        if place is None:
            continue
        shape = tensors[name].shape
        # A certain name may have other rows: Llama 3.2 Vision embeds eight tokens it never predicts.
        if shape[0] not in (rows, config.vocab_size) and not (
            HEAD_NAMES[place].is_certain and shape[1] == width
        ):
            continue
        other = OTHER_MODALITY.search(name) is not None
        ranked.append(((other, shape != (rows, width), place, name.count("."), name), name))
    return min(ranked)[1] if ranked else None


def _shape_twin(tensors: Mapping[str, TensorInfo], embedding: str, candidates: list[str]) -> str | None:
    """Return the other of exactly two matrices of one shape if its name sounds like a head."""
    twins = [n for n in candidates[1:] if tensors[n].shape == tensors[embedding].shape]
    return twins[0] if len(twins) == 1 and any(word in twins[0] for word in _HEAD_WORDS) else None


def _find_bias(tensors: Mapping[str, TensorInfo], rows: int) -> str | None:
    for suffix in HEAD_BIASES:
        for name in sorted(tensors):
            if (
                fits(name, suffix)
                and tensors[name].shape in ((rows,), (1, rows))
                and not IN_BLOCK.search(name)
            ):
                return name
    return None


def _matrices(tensors: Mapping[str, TensorInfo]) -> Iterable[str]:
    return (name for name, info in tensors.items() if len(info.shape) == 2 and 0 not in info.shape)


def _nothing_found(tensors: Mapping[str, TensorInfo], config: ModelConfig) -> tuple[str, str]:
    matrices = sorted(_matrices(tensors), key=lambda n: (-tensors[n].shape[0] * tensors[n].shape[1], n))
    listed = ", ".join(f"{name} {list(tensors[name].shape)}" for name in matrices[:5]) or "no matrix at all"
    claim = f" of {config.vocab_size} rows" if config.vocab_size else ""
    found = f"no token embedding{claim} among {len(tensors)} tensors; the largest matrices are {listed}"
    return found, "name a checkpoint that holds the embedding of a language model"
