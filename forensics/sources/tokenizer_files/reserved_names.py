"""Names by which makers mark vocabulary entries as reserved, and what they say about them.

A name is a declaration, not a measurement: a token called reserved may have been put to use later.
Byte pieces (`<0x0A>`) are not reserved and match nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["RESERVED_NAMES", "declared_by_name", "reserved_word"]

#: Full-match pattern of the piece -> the word the report uses. The first match counts. Beside each
#: pattern a maker that uses it.
RESERVED_NAMES: tuple[tuple[str, str], ...] = (
    (r"<unused[_-]?\d+>", "unused"),  # Gemma, mT5
    (r"\[unused[_-]?\d+\]", "unused"),  # BERT
    (r"<\|unused[_-]?\d+\|>", "unused"),  # Granite and others
    (r"<\|reserved_special_token_\d+\|>", "reserved"),  # Llama 3
    (r"<\|reserved[_-]?(?:token[_-]?)?\d+\|>", "reserved"),  # o200k_harmony
    (r"<\|?reserved[_-]?(?:token|special)?[_-]?\d+\|?>", "reserved"),  # Baichuan, ChatGLM
    (r"\[reserved[_-]?\d+\]", "reserved"),
    (r"<SPECIAL_\d+>", "reserved"),  # Mistral, from Tekken on
    (r"\[control_\d+\]", "reserved"),  # Mistral v3
    (r"<\|?placeholder[_-]?\d*\|?>", "placeholder"),  # Phi-3
    (r"<\|?dummy[_-]?\d+\|?>", "dummy"),  # Phi-4
    (r"<extra_id_\d+>", "extra id"),  # T5: trained where span corruption was the task
    (r"<\|?extra[_-]?(?:token[_-]?)?\d+\|?>", "extra"),  # Qwen
    (r"<\|?spare[_-]?\d+\|?>", "spare"),
    (r"<\|?pad(?:ding)?[_-]?\d+\|?>", "padding"),
    (r"\[PAD[_-]?\d+\]", "padding"),  # written by llama.cpp's converter for ids without a piece
    (r"madeupword\d+", "made-up word"),  # fairseq, to round the vocabulary size
)

_COMPILED = tuple((re.compile(pattern), word) for pattern, word in RESERVED_NAMES)
#: Every name above holds one of these; most of a vocabulary is dismissed by this test alone.
_HINT = re.compile(r"unused|reserved|SPECIAL|control|placeholder|dummy|extra|spare|pad|PAD|madeup")


def reserved_word(piece: str) -> str | None:
    """Return the word for a piece whose name marks it as reserved, or None.

    >>> reserved_word("<unused12>"), reserved_word("<0x0A>")
    ('unused', None)
    """
    if not _HINT.search(piece):
        return None
    return next((word for pattern, word in _COMPILED if pattern.fullmatch(piece)), None)


def declared_by_name(pieces: Iterable[str | None]) -> Mapping[int, str]:
    """Return token id -> word for every piece whose name marks it as reserved."""
    found = ((token_id, reserved_word(piece)) for token_id, piece in enumerate(pieces) if piece)
    return {token_id: word for token_id, word in found if word}
