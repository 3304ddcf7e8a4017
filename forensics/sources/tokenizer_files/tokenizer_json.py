"""`tokenizer.json`, the file of the `tokenizers` library, alone or in its Hugging Face folder.

The library itself reads the file into the working encoder; pieces, merges and scores are read from the
JSON, as they stand. In a folder the neighbouring files add roles, added tokens and the chat template,
and the encoder gets the added tokens that transformers would give it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.errors import BadInputError
from forensics.files import parse_json, read_text
from forensics.sources.interface import AddedToken, Matching, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.added_tokens import place_added_tokens
from forensics.sources.tokenizer_files.encoder import PROBE, build, register_added_tokens
from forensics.sources.tokenizer_files.pieces import ids_of_pieces, pieces_by_id
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import ROLES, Companions, read_companions

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
    model = data["model"]
    notes = []
    if model.get("dropout"):
        # Merges left out by chance, a help in training: with it no text has one reading.
        notes.append(f"the file asks for a dropout of merges ({model['dropout']}), which is set aside")
        model["dropout"] = None
        text = json.dumps(data)
    encoder = build(path, lambda: _load(text))
    vocab, scores = _vocabulary(path, model)
    companions = read_companions(path.parent) if beside else Companions()
    own = _own_added_tokens(path, data.get("added_tokens") or [])
    tokens, more_notes = _complete(path, encoder, own, companions)
    pieces, added, placing_notes = place_added_tokens(pieces_by_id(path, vocab), tokens, encoder)
    notes += [*more_notes, *placing_notes]
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
        return [
            AddedToken(
                entry["id"],
                entry["content"],
                entry["special"],
                path.name,
                Matching(entry["lstrip"], entry["rstrip"], entry["single_word"], entry["normalized"]),
            )
            for entry in entries
        ]
    except (TypeError, KeyError) as error:  # the library has accepted the file, so this is unlikely
        raise BadInputError(path, f"an added token lacks {error}", _DAMAGED) from error


def _complete(
    path: Path, encoder: tokenizers.Tokenizer, own: Sequence[AddedToken], companions: Companions
) -> tuple[list[AddedToken], list[str]]:
    """Return all added tokens, after giving the encoder what the other files say of them.

    As in transformers `added_tokens_decoder` of tokenizer_config.json has the last word on how a token is
    matched; roles and further special tokens come in only where nothing else declares them.
    """
    known = {token.content: token for token in own}
    elsewhere = list(companions.added_tokens())
    news = [
        token
        for token in elsewhere
        if token.content not in known
        or (token.declared_in == "tokenizer_config.json" and token.matching != known[token.content].matching)
    ]
    declared = known.keys() | {token.content for token in elsewhere}
    roles = (companions.role_token(role, None) for role in (*ROLES, *companions.named_tokens()))
    named: dict[str, AddedToken] = {}
    for token in (*roles, *companions.extra_tokens()):
        if token is not None and token.content not in declared:
            named.setdefault(token.content, token)
    unheard = [token for token in named.values() if encoder.token_to_id(token.content) is None]
    build(path, lambda: register_added_tokens(encoder, [*news, *named.values()]))
    notes = []
    fresh = len({token.content for token in news} - known.keys()) + len(named)
    if fresh:
        notes.append(f"{fresh:,} added tokens are declared outside tokenizer.json only")
    if len(news) + len(named) > fresh:
        notes.append(
            f"{len(news) + len(named) - fresh:,} added tokens are matched as tokenizer_config.json says, "
            "where tokenizer.json says otherwise"
        )
    notes += [
        f"{token.declared_in} names {token.content!r}, which no vocabulary holds: it gets the next id, "
        f"{encoder.token_to_id(token.content)}, as in transformers"
        for token in unheard[:3]
    ]
    return [*own, *elsewhere, *named.values()], notes


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
