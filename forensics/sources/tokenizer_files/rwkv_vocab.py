"""RWKV's vocabulary (`rwkv_vocab_v20230424.txt`): `id literal length` a line, matched greedily.

The literal is a Python string or bytes. A text is its UTF-8 bytes, and of all tokens that begin it the
longest is taken; there are no merges and nothing is split beforehand. The `tokenizers` library's WordPiece
does just that over bytes when nothing marks a continuation. Id 0 stands in no line and ends a text.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_text
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import piece_of_bytes
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.pieces import pieces_by_id
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, merge_added_tokens, read_companions

__all__ = ["RWKV_LINE", "read_rwkv_vocab"]

#: What a line of the file looks like.
RWKV_LINE = re.compile(rb"\s*\d+ b?['\"].*['\"] \d+\s*(?:\r?\n|$)")
_END = "<|endoftext|>"
#: Longest text that is matched; the library gives up on longer ones.
_LONGEST = 1_000_000


def read_rwkv_vocab(path: Path, name: str, beside: bool) -> TokenizerSource:
    """Read RWKV's vocabulary.

    :param path: The file.
    :param name: The short name to give the source.
    :param beside: Whether the JSON files of its folder are read too.
    :raises BadInputError: If a line is damaged, a token or an id stands twice, or a byte is missing.
    """
    vocab = _parse(path)
    companions = read_companions(path.parent) if beside else Companions()
    added = list(companions.added_tokens())
    if 0 not in vocab.values() and not any(token.token_id == 0 for token in added):
        added.append(AddedToken(0, _END, True, path.name))
    known = {**vocab, **{token.content: token.token_id for token in added if token.content not in vocab}}
    pieces = pieces_by_id(path, known)
    missing = sum(piece_of_bytes(bytes([byte])) not in vocab for byte in range(256))
    notes = ["matched greedily, the longest token first; there are no merges"]
    if missing:
        notes.append(f"{missing} of the 256 bytes are no tokens: text with them cannot be encoded")

    def model() -> Any:
        from tokenizers import models

        unk = next((token.content for token in added if token.token_id == 0), next(iter(vocab)))
        return models.WordPiece(
            known, unk_token=unk, max_input_chars_per_word=_LONGEST, continuing_subword_prefix=""
        )

    def pre_tokenizer() -> Any:
        from tokenizers import pre_tokenizers

        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

    merged = merge_added_tokens(added)
    encoder = assemble(path, model, pre_tokenizer=pre_tokenizer, added_tokens=merged)
    parts = TokenizerParts(
        format="rwkv",
        model=TokenizerModel.LONGEST_MATCH,
        pieces=pieces,
        encoder=encoder,
        added_tokens=merged,
        pretokenizer_origin="RWKV's vocabulary (does not split)",
        byte_level=True,
        roles={"eos": {path.name: 0}} if pieces[0] == _END else {},
        notes=tuple(notes),
    )
    return tokenizer_source(path, name, (path,), parts, companions)


def _parse(path: Path) -> dict[str, int]:
    """Return piece -> id, pieces spelt in the byte alphabet."""
    vocab: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            written, _, rest = line.strip().partition(" ")
            literal, _, length = rest.rpartition(" ")
            value = ast.literal_eval(literal)
            data = value.encode("utf-8") if isinstance(value, str) else value
            token_id = int(written)
            fits = isinstance(data, bytes) and len(data) == int(length) > 0
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise _damaged(path, number, line) from error
        if not fits or piece_of_bytes(data) in vocab:
            raise _damaged(path, number, line)
        vocab[piece_of_bytes(data)] = token_id
    return vocab


def _damaged(path: Path, number: int, line: str) -> BadInputError:
    found = f"line {number:,} is not an id, a new literal and its length: {line[:60]!r}"
    return BadInputError(path, found, "the file is damaged or no vocabulary of RWKV's")
