"""Whether something under a module's name could be its matrix, whatever its own name and form.

The last net under `packings`, which knows names: a packing that nobody here has heard of, or a matrix in
parts (`parametrizations.weight.original1`), must not make a model "tied" or its embedding absent. What is
large enough to hold the matrix counts: as many numbers, or integers of at least half a bit for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from forensics.sources.checkpoints.embedding_names import IN_BLOCK, OTHER_MODALITY
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.number_formats import NUMBER_FORMATS

__all__ = ["hidden_matrix"]

#: Numbers for each byte of the densest packing: half a bit each.
_NUMBERS_PER_BYTE = 16


def hidden_matrix(
    tensors: Mapping[str, TensorInfo],
    modules: Iterable[str],
    shape: tuple[int, ...],
    apart_from: str | None = None,
) -> str | None:
    """Return the tensor that could be the matrix of one of `modules`, with shape and dtype, or None.

    :param tensors: Those of a checkpoint.
    :param modules: Ends of module names, e.g. `lm_head`.
    :param shape: `(V, d)` of the matrix.
    :param apart_from: A tensor that is taken for another matrix.
    """
    inside = tuple(f".{module}." for module in modules)
    numbers = math.prod(shape)
    for name, info in tensors.items():
        if name == apart_from or IN_BLOCK.search(name) or OTHER_MODALITY.search(name):
            continue
        if any(module in f".{name}" for module in inside) and _could_hold(info, numbers):
            return f"{name} {list(info.shape)} {info.dtype}"
    return None


def _could_hold(info: TensorInfo, numbers: int) -> bool:
    known = NUMBER_FORMATS.get(info.dtype)
    is_packed = known is None or known.is_integer or info.dtype.startswith("F8")
    if is_packed:
        return info.nbytes * _NUMBERS_PER_BYTE >= numbers
    return math.prod(info.shape) == numbers
