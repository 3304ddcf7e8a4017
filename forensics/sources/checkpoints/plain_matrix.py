"""A token matrix that stands in the files under its own name: plain numbers, or eight bits with scales.

Integers are taken for numbers only with a scale, at eight bits each and at the width that a row has to
have: whatever else they are, several numbers are packed in one, and the matrix is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix
from forensics.sources.checkpoints.layouts import Weights
from forensics.sources.tensors.block_scales import SCALE_NAMES, ZERO_POINT_NAMES, scale_matrix
from forensics.sources.tensors.number_formats import NUMBER_FORMATS

__all__ = ["plain_matrix"]


def plain_matrix(
    weights: Weights, name: str, config: Mapping[str, Any], notes: list[str], width: int | None
) -> RowMatrix:
    """Return tensor `name` as rows, times its scales where it is stored in eight bits.

    :param weights: The checkpoint's files.
    :param name: The tensor.
    :param config: The configuration, for the size of blocks.
    :param notes: Remarks for the report; one is added where numbers are taken as they stand.
    :param width: How many numbers a row has to have if it is stored in integers; None if nobody knows.
    :raises BadInputError: If it is stored in integers that stand for other numbers.
    """
    file = weights.owner[name]
    stored = file.matrix(name)
    if file.format == "gguf":
        return stored
    is_integer = NUMBER_FORMATS[stored.dtype].is_integer
    if not (is_integer or stored.dtype.startswith("F8")):
        return stored
    module = name.removesuffix("weight")
    scale_name = next((module + scale for scale in SCALE_NAMES if module + scale in weights.owner), None)
    zero_name = next((module + zero for zero in ZERO_POINT_NAMES if module + zero in weights.owner), None)
    if is_integer:
        # Without a zero point unsigned bytes are several smaller numbers each, and so are rows too short.
        is_scaled = scale_name is not None and stored.dtype in (("I8", "U8") if zero_name else ("I8",))
        if not is_scaled or width not in (None, stored.shape[1]):
            raise _unread_integers(weights, name, stored)
    if scale_name is not None:
        zeros = None if zero_name is None else weights.owner[zero_name].values(zero_name)
        scales = weights.owner[scale_name].values(scale_name)
        return scale_matrix(f"{file.path} tensor {name}", stored, scales, _block_size(config), zeros)
    notes.append(f"{name} is stored as {stored.dtype} without a scale; its numbers are taken as they stand")
    return stored


def _unread_integers(weights: Weights, name: str, stored: RowMatrix) -> BadInputError:
    """Return the error for integers that stand for other numbers than themselves times a scale."""
    module = name.removesuffix("weight")
    beside = [other for other in weights.owner if other.startswith(module) and other != name]
    apart = f"with {', '.join(beside[:4])} in a packing that is not read" if beside else "without a scale"
    found = f"stored as {stored.dtype} integers {list(stored.shape)} {apart}, so its numbers are unknown"
    where = f"{weights.owner[name].path} tensor {name}"
    return BadInputError(where, found, "name the checkpoint before it was quantised")


def _block_size(config: Mapping[str, Any]) -> tuple[int, int] | None:
    quantization = config.get("quantization_config")
    match quantization.get("weight_block_size") if isinstance(quantization, dict) else None:
        case [int(rows), int(columns)] if rows > 0 and columns > 0:
            return rows, columns
    return None
