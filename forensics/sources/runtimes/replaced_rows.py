"""A loaded model with other token rows, for as long as one looks at it; then it is as it was.

The matrices are exchanged whole: a model whose vocabulary grows or shrinks is run like any other. One that
uses one matrix as embedding and head gets one again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.sources.tensors.safetensors_rewrite import RowChange

__all__ = ["TokenRows", "replaced_rows"]


@dataclass(frozen=True, eq=False)
class TokenRows:
    """Changes of a model's token rows."""

    embedding: RowChange
    #: None where the embedding serves as the head, or the model has none of its own.
    head: RowChange | None = None
    #: Rows of shape (n, 1).
    bias: RowChange | None = None


@contextmanager
def replaced_rows(model: Any, rows: TokenRows) -> Iterator[Any]:
    """Give `model` with `rows` in it, and put back what was there.

    :param model: A causal language model of transformers, in evaluation mode.
    :param rows: The changes; of a model that uses one matrix twice those of the embedding count for both.
    """
    import torch

    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    is_one = head is not None and head.weight is embedding.weight
    places = [(embedding, "weight", rows.embedding)]
    if head is not None and not is_one and rows.head is not None:
        places.append((head, "weight", rows.head))
    if head is not None and rows.bias is not None and getattr(head, "bias", None) is not None:
        places.append((head, "bias", rows.bias))
    before = [(module, name, getattr(module, name)) for module, name, _ in places]
    before += [(head, "weight", head.weight)] if is_one else []
    try:
        with torch.no_grad():
            for module, name, change in places:
                changed = torch.nn.Parameter(_changed(getattr(module, name), change), requires_grad=False)
                setattr(module, name, changed)
        if is_one:
            head.weight = embedding.weight
        yield model
    finally:
        for module, name, parameter in before:
            setattr(module, name, parameter)


def _changed(parameter: Any, change: RowChange) -> Any:
    """Return a copy of a parameter with the rows of `change`, cut or filled up to its number of rows."""
    import torch

    old = parameter.detach()
    new = torch.zeros((change.total, *old.shape[1:]), dtype=old.dtype, device=old.device)
    kept = min(len(old), change.total)
    new[:kept] = old[:kept]
    values: npt.NDArray[np.float32] = change.rows.reshape(len(change.ids), *old.shape[1:])
    new[torch.from_numpy(change.ids).to(old.device)] = torch.from_numpy(values).to(old.device, old.dtype)
    return new
