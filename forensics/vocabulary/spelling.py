"""The exact bytes that every token stands for.

How a piece spells bytes depends on the tokenizer: GPT-2's alphabet, SentencePiece's U+2581 for a space and
`<0xNN>` for a byte, WordPiece's `##` for "inside a word". Added tokens stand for their text as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import byte_of_fallback_piece, bytes_of_piece
from forensics.vocabulary.components import components

__all__ = ["continues_word", "text_of_bytes", "token_bytes"]

_SPACE = "\u2581"


def token_bytes(source: TokenizerSource) -> tuple[bytes | None, ...]:
    """Return the bytes of every token of `source`, None for ids without a piece.

    >>> token_bytes(open_tokenizer("demo"))[28]  # doctest: +SKIP
    b' t'
    """
    literal = {token.token_id: token.content for token in source.added_tokens}
    special = {token.token_id for token in source.added_tokens if token.special}
    spell = _spelling(source)
    spaced = not source.byte_level and _spells_spaces(source)
    spelt: list[bytes | None] = []
    for token_id, piece in enumerate(source.pieces):
        if token_id in literal:
            text = literal[token_id]
            # Gemma's added runs of spaces are written with U+2581, and decode to spaces.
            text = text.replace(_SPACE, " ") if spaced and token_id not in special else text
            spelt.append(_utf8(text))
        else:
            spelt.append(None if piece is None else spell(piece))
    return tuple(spelt)


def text_of_bytes(data: bytes | None) -> str | None:
    """Return the text of a token, or None where its bytes are nothing or no valid UTF-8 by themselves."""
    if not data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def continues_word(source: TokenizerSource) -> Callable[[str], bool]:
    """Return the test whether a piece can only stand inside a word (WordPiece's `##`)."""
    if source.model is not TokenizerModel.WORDPIECE:
        return lambda piece: False
    if source.format == "gguf":  # llama.cpp marks the other pieces, those that begin a word
        return lambda piece: not piece.startswith(_SPACE) and not (piece[:1] == "[" and piece[-1:] == "]")
    prefix = _string(source.encoder.model, "continuing_subword_prefix") or "##"
    return lambda piece: piece.startswith(prefix) and piece != prefix


def _spelling(source: TokenizerSource) -> Callable[[str], bytes]:
    """Return the function from a piece to its bytes."""
    if source.model is TokenizerModel.WORDPIECE:
        marker = (
            _SPACE if source.format == "gguf" else _string(source.encoder.model, "continuing_subword_prefix")
        )
        return lambda piece: _utf8(piece.removeprefix(marker) if piece != marker else piece)
    suffix = _string(source.encoder.model, "end_of_word_suffix")
    if source.byte_level:

        def spell_bytes(piece: str) -> bytes:
            bare = piece.removesuffix(suffix)
            spelt = bytes_of_piece(bare)
            # A character outside the alphabet: the decoder passes the piece through as text.
            return _utf8(bare) if spelt is None else spelt

        return spell_bytes
    space = _SPACE if _spells_spaces(source) else " "

    def spell_text(piece: str) -> bytes:
        byte = byte_of_fallback_piece(piece) if source.byte_fallback else None
        return _utf8(piece.removesuffix(suffix).replace(space, " ")) if byte is None else bytes([byte])

    return spell_text


def _spells_spaces(source: TokenizerSource) -> bool:
    """Return whether spaces are written as U+2581 before the model sees them."""
    if source.format in ("sentencepiece", "gguf"):
        return not source.byte_level and source.model is not TokenizerModel.WORDPIECE
    return _SPACE in json.dumps(components(source.encoder), ensure_ascii=False)


def _string(model: Any, name: str) -> str:
    """Return a string setting of a model, empty where it is unset or the model has none."""
    return getattr(model, name, None) or ""


def _utf8(text: str) -> bytes:
    # JSON may hold lone surrogates; as bytes they are no valid UTF-8, which is what the token then is.
    return text.encode("utf-8", errors="surrogatepass")
