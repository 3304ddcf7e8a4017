"""The byte-to-character alphabet of GPT-2 and the `<0xNN>` spelling of SentencePiece.

Byte-level BPE (Radford et al. 2019) keeps its vocabulary printable: the 188 bytes that are visible
Latin-1 characters stand for themselves, the other 68 are shifted to U+0100 and up, so that a space
(0x20) is written `Ġ` (U+0120).
"""

from __future__ import annotations

import re

__all__ = [
    "BYTE_OF_CHARACTER",
    "CHARACTER_OF_BYTE",
    "byte_of_fallback_piece",
    "bytes_of_piece",
    "piece_of_bytes",
]


def _alphabet() -> dict[int, str]:
    """Return byte -> character, in the order GPT-2 assigns them."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = (byte for byte in range(256) if byte not in set(visible))
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + n) for n, byte in enumerate(shifted)}


#: byte -> the character that spells it, all 256 of them.
CHARACTER_OF_BYTE: dict[int, str] = _alphabet()
#: character -> the byte it spells.
BYTE_OF_CHARACTER: dict[str, int] = {character: byte for byte, character in CHARACTER_OF_BYTE.items()}

_TO_LATIN_1 = {ord(character): byte for character, byte in BYTE_OF_CHARACTER.items()}
_FROM_LATIN_1 = dict(CHARACTER_OF_BYTE)
_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def bytes_of_piece(piece: str) -> bytes | None:
    """Return the bytes that `piece` spells, or None if a character is not of the alphabet.

    >>> bytes_of_piece("Ġthe")
    b' the'
    """
    if not BYTE_OF_CHARACTER.keys() >= set(piece):
        return None
    return piece.translate(_TO_LATIN_1).encode("latin-1")


def piece_of_bytes(data: bytes) -> str:
    """Return the piece that spells `data`.

    >>> piece_of_bytes(b" the")
    'Ġthe'
    """
    return data.decode("latin-1").translate(_FROM_LATIN_1)


def byte_of_fallback_piece(piece: str) -> int | None:
    """Return the byte that a `<0xNN>` piece stands for, or None if the piece is not of that form."""
    match = _FALLBACK.fullmatch(piece)
    return int(match.group(1), 16) if match else None
