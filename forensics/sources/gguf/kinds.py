"""The kinds of tokenizer that a GGUF file can hold, each rebuilt as llama.cpp runs it.

Text is encoded as llama.cpp does when it parses special tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from forensics.errors import BadInputError
from forensics.sources.gguf.metadata import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    GGUFTokenizer,
)
from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files import sentencepiece_encoder as spm
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.merge_recovery import merges_from_scores
from forensics.sources.tokenizer_files.pieces import ids_of_pieces
from forensics.sources.tokenizer_files.pretokenizers import LLAMA_CPP_NAMES, Pretokenizer
from forensics.sources.tokenizer_files.source import TokenizerParts

__all__ = ["GGUF_KINDS"]

_WORD_START = "\u2581"


def _byte_level_bpe(metadata: GGUFTokenizer) -> TokenizerParts:
    if not metadata.merges:
        raise BadInputError(metadata.path, "a tokenizer of kind 'gpt2' without merges", "the file is damaged")
    rule, origin, notes = _named_pretokenizer(metadata.pre)

    def model() -> Any:
        from tokenizers import models

        # A pair may stand twice in a converted list; the library and llama.cpp differ on which counts.
        merges = list(dict.fromkeys(metadata.merges))
        return models.BPE(ids_of_pieces(metadata.pieces), merges, ignore_merges=rule.ignore_merges)

    encoder = assemble(
        metadata.path,
        model,
        normalizer=rule.make_normalizer,
        pre_tokenizer=rule.make,
        added_tokens=metadata.added_tokens(),
    )
    return TokenizerParts(
        format="gguf",
        pieces=metadata.pieces,
        added_tokens=metadata.added_tokens(),
        model=TokenizerModel.BPE,
        merges=metadata.merges,
        byte_level=True,
        encoder=encoder,
        pretokenizer_origin=origin,
        notes=notes,
    )


def _named_pretokenizer(pre: str | None) -> tuple[Pretokenizer, str | None, tuple[str, ...]]:
    rule = LLAMA_CPP_NAMES.get(pre) if pre else None
    if rule is not None:
        return rule, f"llama.cpp name {pre!r}", (rule.remark,) if rule.remark else ()
    found = f"names the pre-tokenizer {pre!r}, which is not known here" if pre else "names no pre-tokenizer"
    note = (
        f"the file {found}: the encoder splits as llama.cpp's 'default' does, so what can be reached by "
        "encoding text is uncertain"
    )
    return LLAMA_CPP_NAMES["default"], None, (note,)


def _sentencepiece_bpe(metadata: GGUFTokenizer) -> TokenizerParts:
    if metadata.scores is None:
        raise BadInputError(
            metadata.path, "a tokenizer of kind 'llama' without scores", "the file is damaged"
        )
    mergeable = metadata.of_type(NORMAL, USER_DEFINED)
    merges = tuple(merges_from_scores(metadata.pieces, metadata.scores, mergeable))
    encoder = spm.bpe_encoder(
        metadata.path,
        metadata.pieces,
        merges,
        unk=metadata.unk(),
        byte_fallback=bool(metadata.of_type(BYTE)),
        normalizer=lambda: spm.spaces(prefix=metadata.flag("add_space_prefix", True)),
        added_tokens=metadata.added_tokens(),
    )
    return TokenizerParts(
        format="gguf",
        pieces=metadata.pieces,
        added_tokens=metadata.added_tokens(),
        model=TokenizerModel.BPE,
        byte_fallback=bool(metadata.of_type(BYTE)),
        merges=merges,
        scores=metadata.scores,
        encoder=encoder,
        pretokenizer_origin="tokenizer.ggml.model 'llama' (SentencePiece does not split)",
        notes=("the merges are recovered from the scores",),
    )


def _gemma4(metadata: GGUFTokenizer) -> TokenizerParts:
    encoder = spm.bpe_encoder(
        metadata.path,
        metadata.pieces,
        tuple(dict.fromkeys(metadata.merges)),
        unk=metadata.unk(),
        byte_fallback=bool(metadata.of_type(BYTE)),
        normalizer=lambda: spm.spaces(prefix=False),
        added_tokens=metadata.added_tokens(),
    )
    return TokenizerParts(
        format="gguf",
        pieces=metadata.pieces,
        added_tokens=metadata.added_tokens(),
        model=TokenizerModel.BPE,
        byte_fallback=bool(metadata.of_type(BYTE)),
        merges=metadata.merges,
        encoder=encoder,
        pretokenizer_origin="tokenizer.ggml.model 'gemma4'",
    )


def _unigram(metadata: GGUFTokenizer) -> TokenizerParts:
    if metadata.scores is None:
        raise BadInputError(metadata.path, "a tokenizer of kind 't5' without scores", "the file is damaged")
    charsmap = metadata.values.get("tokenizer.ggml.precompiled_charsmap")
    table = charsmap.astype(np.uint8).tobytes() if isinstance(charsmap, np.ndarray) else b""
    byte_fallback = bool(metadata.of_type(BYTE))
    encoder = spm.unigram_encoder(
        metadata.path,
        metadata.pieces,
        metadata.scores,
        unk_id=metadata.unk_id(),
        byte_fallback=byte_fallback,
        unmatchable=metadata.of_type(CONTROL, UNKNOWN, UNUSED),
        normalizer=lambda: spm.normalizer(
            table,
            remove_extra_whitespaces=metadata.flag("remove_extra_whitespaces", False),
            prefix=metadata.flag("add_space_prefix", True),
        ),
        added_tokens=metadata.added_tokens(),
    )
    return TokenizerParts(
        format="gguf",
        pieces=metadata.pieces,
        added_tokens=metadata.added_tokens(),
        model=TokenizerModel.UNIGRAM,
        byte_fallback=byte_fallback,
        scores=metadata.scores,
        encoder=encoder,
        pretokenizer_origin="tokenizer.ggml.model 't5' (SentencePiece does not split)",
    )


def _wordpiece(metadata: GGUFTokenizer) -> TokenizerParts:
    """Build BERT's tokenizer; GGUF marks the start of a word, where `vocab.txt` marks its continuation."""
    vocab = {_bert_piece(piece or ""): token_id for token_id, piece in enumerate(metadata.pieces)}
    unk = metadata.pieces[metadata.unk_id()]

    def model() -> Any:
        from tokenizers import models

        return models.WordPiece(vocab, unk_token=unk, max_input_chars_per_word=100)

    def normalizer() -> Any:
        from tokenizers import normalizers

        return normalizers.BertNormalizer(lowercase=True)

    def pre_tokenizer() -> Any:
        from tokenizers import pre_tokenizers

        return pre_tokenizers.BertPreTokenizer()

    encoder = assemble(
        metadata.path,
        model,
        normalizer=normalizer,
        pre_tokenizer=pre_tokenizer,
        added_tokens=metadata.added_tokens(),
    )
    return TokenizerParts(
        format="gguf",
        pieces=metadata.pieces,
        added_tokens=metadata.added_tokens(),
        model=TokenizerModel.WORDPIECE,
        encoder=encoder,
        pretokenizer_origin="tokenizer.ggml.model 'bert'",
        notes=("text is lowercased, as llama.cpp does with every tokenizer of kind 'bert'",),
    )


def _bert_piece(piece: str) -> str:
    """Return a piece as `vocab.txt` has it: the converter leaves bracketed names as they are."""
    if piece.startswith(_WORD_START):
        return piece.removeprefix(_WORD_START)
    return piece if piece.startswith("[") and piece.endswith("]") else f"##{piece}"


#: `tokenizer.ggml.model` -> what builds the parts of the source from the metadata.
GGUF_KINDS: dict[str, Callable[[GGUFTokenizer], TokenizerParts]] = {
    "gpt2": _byte_level_bpe,
    "llama": _sentencepiece_bpe,
    "t5": _unigram,
    "bert": _wordpiece,
    "gemma4": _gemma4,
}
