"""The tokenizer inside a GGUF file, rebuilt from its metadata (`tokenizer.ggml.*`).

Kinds, by llama.cpp's names: `gpt2` byte-level BPE with a merge list, `llama` SentencePiece BPE with
scores only, `t5` Unigram, `bert` WordPiece, `gemma4` merges over SentencePiece spelling. Text is
encoded as llama.cpp does when it parses special tokens. A GGUF file names a pre-tokenizer by a word;
a word that is unknown here leaves `pretokenizer_origin` None.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.gguf.file import read_gguf
from forensics.sources.gguf.kinds import GGUF_KINDS
from forensics.sources.gguf.metadata import UNUSED, check_metadata
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.source import tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions

__all__ = ["read_gguf_tokenizer"]

#: Role -> metadata keys that give its id, as GGUF spells them.
_ROLE_KEYS = {
    "bos": ("bos_token_id",),
    "eos": ("eos_token_id",),
    "unk": ("unknown_token_id",),
    "sep": ("seperator_token_id", "separator_token_id"),  # the first is the specification's own spelling
    "pad": ("padding_token_id",),
    "cls": ("cls_token_id",),
    "mask": ("mask_token_id",),
    "eot": ("eot_token_id",),
    "eom": ("eom_token_id",),
}
#: Kinds, and names of pre-tokenizers, for which llama.cpp puts the bos token before a text where the
#: file does not say.
_BOS_KINDS = frozenset({"llama", "bert"})
_BOS_NAMES = frozenset(
    {"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "tekken"}
)


def read_gguf_tokenizer(path: Path, name: str) -> TokenizerSource:
    """Rebuild the tokenizer of a GGUF file.

    :param path: The file.
    :param name: The short name to give the source.
    :raises BadInputError: If the file holds no tokenizer, one of an unknown kind, or a damaged one.
    """
    values = read_gguf(path).metadata
    metadata = check_metadata(path, values)
    builder = GGUF_KINDS.get(metadata.kind)
    if builder is None:
        raise BadInputError(
            path,
            f"the tokenizer is of kind {metadata.kind!r}; known are {', '.join(GGUF_KINDS)}",
            "give the model's tokenizer.json instead",
        )
    parts = builder(metadata)
    roles = {
        role: {path.name: int(values[key])}
        for role, words in _ROLE_KEYS.items()
        for key in (f"tokenizer.ggml.{word}" for word in words)
        if isinstance(values.get(key), int)
    }
    strays = [
        f"the {role} token's id {given[path.name]} is outside the vocabulary"
        for role, given in roles.items()
        if not 0 <= given[path.name] < len(metadata.pieces)
    ]
    template = values.get("tokenizer.chat_template")
    parts = replace(
        parts,
        roles=roles,
        adds_bos=metadata.flag(
            "add_bos_token",
            metadata.kind in _BOS_KINDS or (metadata.kind == "gpt2" and metadata.pre in _BOS_NAMES),
        ),
        chat_template=template if isinstance(template, str) else None,
        declared_unused=dict.fromkeys(metadata.of_type(UNUSED), "unused"),
        notes=(*strays, *parts.notes),
    )
    return tokenizer_source(path, name, (path,), parts, Companions())
