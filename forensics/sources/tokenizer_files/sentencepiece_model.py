"""SentencePiece `.model` files: BPE and Unigram, with byte fallback and character map.

The encoder behaves as the native processor: control symbols are never produced from text, user-defined ones
are cut out first. Departures, where the `tokenizers` library has no way to say it: a text that is nothing
but one user-defined symbol gets no dummy prefix; a symbol that the character map would change cuts the text
in two that are normalised apart; Unigram reads the text `<0x41>` as the byte; BPE pieces marked unused take
no part in merges, where SentencePiece merges them and takes them apart again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.files import read_bytes
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files import sentencepiece_encoder as spm
from forensics.sources.tokenizer_files.merge_recovery import merges_from_scores
from forensics.sources.tokenizer_files.sentencepiece_proto import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    SentencePieceModel,
    parse_model,
)
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, read_companions

__all__ = ["read_sentencepiece"]


def read_sentencepiece(path: Path, name: str, beside: bool) -> TokenizerSource:
    """Read a SentencePiece model.

    :param path: The file.
    :param name: The short name to give the source.
    :param beside: Whether the JSON files of its folder are read too.
    :raises BadInputError: If it is not a SentencePiece model of kind BPE or Unigram.
    """
    model = parse_model(path, read_bytes(path))
    if model.kind not in ("bpe", "unigram") or model.whitespace_as_suffix or not model.escape_whitespaces:
        found = f"a SentencePiece model of kind {model.kind!r}" + (
            "" if model.kind not in ("bpe", "unigram") else " with spaces as suffix or not written as U+2581"
        )
        raise BadInputError(path, found, "only BPE and Unigram with leading U+2581 are supported")
    companions = read_companions(path.parent) if beside else Companions()
    added = tuple(
        AddedToken(token_id, model.pieces[token_id], False, path.name)
        for token_id in model.of_type(USER_DEFINED)
    )
    scores = np.array(model.scores, dtype=np.float32)
    byte_fallback = bool(model.of_type(BYTE))
    merges, encoder = _encoder(path, model, scores, byte_fallback, added)
    notes = ["the merges are recovered from the scores"] if model.kind == "bpe" else []
    if model.of_type(UNUSED) and model.kind == "bpe":
        notes.append(
            f"{len(model.of_type(UNUSED)):,} pieces are marked unused and take no part in merges here"
        )
    parts = TokenizerParts(
        format="sentencepiece",
        model=TokenizerModel(model.kind),
        pieces=tuple(model.pieces),
        encoder=encoder,
        added_tokens=(
            *added,
            *(
                AddedToken(token_id, model.pieces[token_id], True, path.name)
                for token_id in model.of_type(CONTROL, UNKNOWN)
            ),
        ),
        pretokenizer_origin="SentencePiece model (does not split)",
        merges=merges,
        scores=scores,
        byte_fallback=byte_fallback,
        roles={
            role: {path.name: token_id}
            for role, token_id in model.roles.items()
            if 0 <= token_id < len(model.pieces)
        },
        declared_unused=dict.fromkeys(model.of_type(UNUSED), "unused"),
        notes=tuple(notes),
    )
    return tokenizer_source(path, name, (path,), parts, companions)


def _encoder(
    path: Path,
    model: SentencePieceModel,
    scores: npt.NDArray[np.float32],
    byte_fallback: bool,
    added: tuple[AddedToken, ...],
) -> tuple[tuple[tuple[str, str], ...], Any]:
    """Return the merges (none for Unigram) and the encoder."""

    def normalizer() -> Any:
        return spm.normalizer(
            model.charsmap,
            model.remove_extra_whitespaces,
            model.dummy_prefix,
            whole=[token.content for token in added],
        )

    unk_id = next(iter(model.of_type(UNKNOWN)), 0)
    if model.kind == "unigram":
        encoder = spm.unigram_encoder(
            path,
            model.pieces,
            scores,
            unk_id=unk_id,
            byte_fallback=byte_fallback,
            unmatchable=model.of_type(CONTROL, UNKNOWN, UNUSED),
            normalizer=normalizer,
            added_tokens=added,
            match_normalized=True,
        )
        return (), encoder
    merges = tuple(merges_from_scores(model.pieces, scores, model.of_type(NORMAL, USER_DEFINED)))
    encoder = spm.bpe_encoder(
        path,
        model.pieces,
        merges,
        unk=model.pieces[unk_id],
        byte_fallback=byte_fallback,
        normalizer=normalizer,
        added_tokens=added,
        match_normalized=True,
    )
    return merges, encoder
