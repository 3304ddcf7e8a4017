"""`tokenizer.json`, the file of the `tokenizers` library, alone or in its Hugging Face folder.

The library itself reads the file into the working encoder; pieces, merges and scores are read from the
JSON, as they stand. In a folder the neighbouring files add roles, added tokens and the chat template,
and the encoder gets the added tokens that transformers would give it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.errors import BadInputError
from forensics.files import parse_json, read_text
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.encoder import (
    PROBE,
    build,
    misplaced_added_tokens,
    register_added_tokens,
)
from forensics.sources.tokenizer_files.pieces import ids_of_pieces, pieces_by_id
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, merge_added_tokens, read_companions

if TYPE_CHECKING:
    import tokenizers

__all__ = ["read_tokenizer_json"]

_DAMAGED = "the file is damaged or not a tokenizer.json"


def read_tokenizer_json(path: Path, name: str, beside: bool) -> TokenizerSource:
    """Read a `tokenizer.json`.

    :param path: The file.
    :param name: The short name to give the source.
    :param beside: Whether the files of its folder are read too.
    :raises BadInputError: If the file is not a tokenizer the library accepts.
    """
    text = read_text(path)
    data = parse_json(path, text)
    if not isinstance(data, dict) or not isinstance(data.get("model"), dict):
        raise BadInputError(path, "a JSON file without a `model`", _DAMAGED)
    encoder = build(path, lambda: _load(text))
    model = data["model"]
    vocab, scores = _vocabulary(path, model)
    companions = read_companions(path.parent) if beside else Companions()
    own = _own_added_tokens(path, data.get("added_tokens") or [])
    added, notes = _complete(path, encoder, vocab, own, companions)
    pieces = _with_added(path, vocab, added)
    if scores is not None:
        scores = np.concatenate([scores, np.zeros(len(pieces) - len(scores), dtype=np.float32)])
    parts = TokenizerParts(
        format="tokenizer.json",
        model=TokenizerModel(type(encoder.model).__name__.lower()),
        pieces=pieces,
        encoder=encoder,
        added_tokens=added,
        pretokenizer_origin="tokenizer.json",
        merges=_merges(model.get("merges")),
        scores=scores,
        byte_level=any(
            _kinds(data.get(part), "ByteLevel") for part in ("normalizer", "pre_tokenizer", "decoder")
        ),
        byte_fallback=model.get("byte_fallback") is True,
        roles=_unknown_role(path, model, pieces),
        notes=tuple(notes),
    )
    return tokenizer_source(path.parent if beside else path, name, (path,), parts, companions)


def _unknown_role(
    path: Path, model: Mapping[str, Any], pieces: Sequence[str | None]
) -> dict[str, dict[str, int]]:
    """Return the unknown token as the file has it: by text, by id in a Unigram model."""
    unk = model.get("unk_token")
    unk_id = ids_of_pieces(pieces).get(unk) if isinstance(unk, str) else model.get("unk_id")
    return {"unk": {path.name: unk_id}} if isinstance(unk_id, int) else {}


def _load(text: str) -> tokenizers.Tokenizer:
    import tokenizers

    encoder = tokenizers.Tokenizer.from_str(text)
    # Files of embedding models ask for truncation and padding, which are no part of how text is split.
    encoder.no_truncation()
    encoder.no_padding()
    encoder.encode(PROBE, add_special_tokens=False)
    return encoder


def _vocabulary(path: Path, model: Mapping[str, Any]) -> tuple[dict[str, int], Any]:
    """Return piece -> id, and the scores by id of a Unigram model."""
    vocab = model.get("vocab")
    if isinstance(vocab, dict):
        return vocab, None
    if isinstance(vocab, list) and all(isinstance(entry, list) and len(entry) == 2 for entry in vocab):
        pieces = [piece for piece, _ in vocab]
        if len(set(pieces)) < len(pieces):
            raise BadInputError(path, "a piece stands twice in the vocabulary", _DAMAGED)
        scores = np.array([score for _, score in vocab], dtype=np.float32)
        return {piece: token_id for token_id, piece in enumerate(pieces)}, scores
    raise BadInputError(path, "the model has no `vocab`", _DAMAGED)


def _own_added_tokens(path: Path, entries: Any) -> list[AddedToken]:
    try:
        return [AddedToken(entry["id"], entry["content"], entry["special"], path.name) for entry in entries]
    except (TypeError, KeyError) as error:  # the library has accepted the file, so this is unlikely
        raise BadInputError(path, f"an added token lacks {error}", _DAMAGED) from error


def _complete(
    path: Path,
    encoder: tokenizers.Tokenizer,
    vocab: Mapping[str, int],
    own: Sequence[AddedToken],
    companions: Companions,
) -> tuple[tuple[AddedToken, ...], list[str]]:
    """Return all added tokens, after giving the encoder those that only the other files declare."""
    known = {token.content for token in own}
    elsewhere = list(companions.added_tokens())
    declared = {token.content for token in elsewhere}
    named = [
        AddedToken(vocab[text], text, True, file)
        for file, _, text in companions.role_texts()
        if text in vocab and text not in known | declared
    ]
    missing = merge_added_tokens([token for token in (*elsewhere, *named) if token.content not in known])
    build(path, lambda: register_added_tokens(encoder, missing))
    notes = [
        f"{token.declared_in} declares {token.content!r} as id {token.token_id}, but the tokenizers library "
        f"gives it id {token_id}"
        for token, token_id in misplaced_added_tokens(encoder, [*own, *missing]).items()
    ]
    if missing:
        notes.append(f"{len(missing):,} added tokens are declared outside tokenizer.json only")
    return merge_added_tokens(own, elsewhere, named), notes


def _with_added(path: Path, vocab: Mapping[str, int], added: Sequence[AddedToken]) -> tuple[str | None, ...]:
    """Return the pieces by id, added tokens included where the vocabulary has nothing at their id."""
    taken = set(vocab.values()) if all(type(token_id) is int for token_id in vocab.values()) else set()
    extra = {token.content: token.token_id for token in added if token.token_id not in taken}
    return pieces_by_id(
        path, {**vocab, **{text: token_id for text, token_id in extra.items() if text not in vocab}}
    )


def _merges(merges: Any) -> tuple[tuple[str, str], ...]:
    """Return the merges as pairs; both spellings, `"a b"` and `["a", "b"]`, are in use."""
    if not isinstance(merges, list):
        return ()
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in merges)
    return tuple((left, right) for left, right in pairs)


def _kinds(component: Any, kind: str) -> bool:
    """Return whether a normalizer, pre-tokenizer or decoder is of `kind` or contains one."""
    if isinstance(component, dict):
        return component.get("type") == kind or any(_kinds(part, kind) for part in component.values())
    return isinstance(component, list) and any(_kinds(part, kind) for part in component)
