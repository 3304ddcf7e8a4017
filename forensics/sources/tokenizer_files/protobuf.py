"""Protocol-buffer wire format, as much as a SentencePiece model needs.

The `sentencepiece` package carries the message classes but not the `protobuf` package they need, and
its processor does not tell the algorithm, the character map or which pieces are user-defined. The
format is a list of (field number, wire type, value): https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["WireError", "fields"]

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are not a protocol-buffer message."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length integer at `at` and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise WireError("the message ends inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise WireError("a number of more than ten bytes")


def fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield `(field number, value)` for every field of one message, in order.

    :param data: The message.
    :yields: Integers for varints, floats for 4- and 8-byte fields, bytes for strings and messages.
    :raises WireError: If the bytes are not a message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError("field number 0")
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _LENGTH:
            size, at = _varint(data, at)
        elif kind in (_FIXED_32, _FIXED_64):
            size = 4 if kind == _FIXED_32 else 8
        else:
            raise WireError(f"wire type {kind}")
        if at + size > len(data):
            raise WireError("the message ends inside a field")
        chunk = data[at : at + size]
        at += size
        yield number, chunk if kind == _LENGTH else struct.unpack("<f" if size == 4 else "<d", chunk)[0]
