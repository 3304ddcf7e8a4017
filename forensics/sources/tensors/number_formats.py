"""How stored numbers become float32, and some of them back: by the names safetensors uses.

A decoder takes the bytes of whole rows, uint8 `(n, bytes per row)`, and gives float32 `(n, d)`. NaN
and infinity pass through; what float32 cannot hold becomes infinity. Block-quantised GGUF types are
in `gguf_file`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NUMBER_FORMATS", "Decoder", "Encoder", "NumberFormat"]

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]
Decoder = Callable[[UInt8Array], Float32Array]
#: Float32 `(n, d)` to the bytes of whole rows, uint8 `(n, bytes per row)`; to the nearest, ties to even.
Encoder = Callable[[Float32Array], UInt8Array]


@dataclass(frozen=True)
class NumberFormat:
    """One dtype of numbers that each fill whole bytes."""

    #: Bytes of one number.
    itemsize: int
    #: Bytes of rows to float32.
    decode: Decoder
    #: Whether the numbers are integers, which are weights only together with a scale.
    is_integer: bool = False
    #: Float32 to bytes of rows; None where a row is not rewritten: its scale stands elsewhere.
    encode: Encoder | None = None


def _cast(dtype: str) -> Decoder:
    def decode(stored: UInt8Array) -> Float32Array:
        with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN is a value to report
            return stored.view(dtype).astype(np.float32)

    return decode


def _decode_bf16(stored: UInt8Array) -> Float32Array:
    # bfloat16 is the upper half of a float32: widen, then shift in place, with no third array.
    wide = stored.view("<u2").astype(np.uint32)
    np.left_shift(wide, 16, out=wide)
    return wide.view(np.float32)


def _cast_back(dtype: str) -> Encoder:
    def encode(values: Float32Array) -> UInt8Array:
        return np.ascontiguousarray(values.astype(dtype)).view(np.uint8).reshape(len(values), -1)

    return encode


def _encode_bf16(values: Float32Array) -> UInt8Array:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    # Half of what is cut off, and one less where the last bit that stays is even.
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))) >> 16
    halves = np.where(np.isfinite(values), rounded, bits >> 16).astype("<u2")
    return halves.view(np.uint8).reshape(len(values), -1)


def _lookup(table: Float32Array) -> Decoder:
    def decode(stored: UInt8Array) -> Float32Array:
        return table.take(stored)

    return decode


def _f8_e4m3_table() -> Float32Array:
    """Return the 256 values of E4M3FN (Micikevicius et al. 2022, table 1): bias 7, no infinity."""
    codes = np.arange(256)
    exponent, fraction = codes >> 3 & 15, codes & 7
    normal = (1 + fraction / 8) * 2.0 ** (exponent - 7)
    subnormal = fraction / 8 * 2.0**-6
    values = np.where(exponent == 0, subnormal, normal)
    values[codes & 127 == 127] = np.nan
    return np.where(codes >> 7 == 1, -values, values).astype(np.float32)


def _f8_e5m2_table() -> Float32Array:
    """Return the 256 values of E5M2, which is the upper byte of an IEEE half."""
    return (np.arange(256, dtype=np.uint16) << 8).view(np.float16).astype(np.float32)


def _f8_e8m0_table() -> Float32Array:
    """Return the 256 powers of two of E8M0 (the scale format of OCP microscaling); 255 is NaN."""
    values = 2.0 ** (np.arange(256) - 127.0)
    values[255] = np.nan
    return values.astype(np.float32)


NUMBER_FORMATS: dict[str, NumberFormat] = {
    "F64": NumberFormat(8, _cast("<f8"), encode=_cast_back("<f8")),
    "F32": NumberFormat(4, _cast("<f4"), encode=_cast_back("<f4")),
    "F16": NumberFormat(2, _cast("<f2"), encode=_cast_back("<f2")),
    "BF16": NumberFormat(2, _decode_bf16, encode=_encode_bf16),
    "F8_E4M3": NumberFormat(1, _lookup(_f8_e4m3_table())),
    "F8_E5M2": NumberFormat(1, _lookup(_f8_e5m2_table())),
    "F8_E8M0": NumberFormat(1, _lookup(_f8_e8m0_table())),
    "I64": NumberFormat(8, _cast("<i8"), is_integer=True),
    "I32": NumberFormat(4, _cast("<i4"), is_integer=True),
    "I16": NumberFormat(2, _cast("<i2"), is_integer=True),
    "I8": NumberFormat(1, _cast("<i1"), is_integer=True),
    "U64": NumberFormat(8, _cast("<u8"), is_integer=True),
    "U32": NumberFormat(4, _cast("<u4"), is_integer=True),
    "U16": NumberFormat(2, _cast("<u2"), is_integer=True),
    "U8": NumberFormat(1, _cast("u1"), is_integer=True),
    "BOOL": NumberFormat(1, _cast("u1"), is_integer=True),
}
