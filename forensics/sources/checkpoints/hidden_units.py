"""The matrices that lead into the hidden units of every layer, under the names that architectures give them.

One row per unit: `up_proj` in Llama's words and, where the layer is gated, `gate_proj`. GPT-2 stores its
own the other way round and is turned. Matrices that two projections share (`gate_up_proj`) and packed ones
are left out, and a model that has nothing else has no layers here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.sources.checkpoints.layouts import Weights, open_weights
from forensics.sources.tensors.number_formats import NUMBER_FORMATS

__all__ = ["HiddenUnits", "open_hidden_units"]

Float64Array = npt.NDArray[np.float64]

_LAYER = r"(?:^|\.)(?:layers?|h|blk|blocks?)\.(\d+)\.(?:.+\.)?"
#: Gate or up -> the end of a tensor's name; `blk` names are GGUF's, `w1` and `w3` Meta's and Mistral's own.
_NAMES = {
    "up": re.compile(
        _LAYER + r"(?:up_proj|w3|ffn_up|dense_h_to_4h|c_fc|fc1|intermediate\.dense|fc_in)\.weight$"
    ),
    "gate": re.compile(_LAYER + r"(?:gate_proj|w1|ffn_gate)\.weight$"),
}
#: One of several experts, whose units are no layer's.
_EXPERT = re.compile(r"experts?\.")
_NORM = re.compile(r"(?:norm|ln_\w+|layernorm\w*)\.weight$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class HiddenUnits:
    """Where the hidden units of a checkpoint are; nothing is read until it is asked for."""

    _weights: Weights
    #: Layer -> tensor name.
    up: Mapping[int, str]
    gate: Mapping[int, str]

    def read(self, name: str, most: int) -> Float64Array:
        """Return the first `most` units of a tensor as rows, shape (units, d)."""
        file = self._weights.owner[name]
        rows, columns = file.tensors[name].shape
        if name.endswith("c_fc.weight") and rows < columns:  # GPT-2's Conv1D keeps units in columns
            return np.ascontiguousarray(file.values(name)[:, :most].T, dtype=np.float64)
        return file.rows(name, 0, min(rows, most)).astype(np.float64)

    def norms(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights of the norm layers, by tensor name."""
        return {
            name: file.values(name)
            for name, file in sorted(self._weights.owner.items())
            if _NORM.search(name) and len(file.tensors[name].shape) == 1
        }


def open_hidden_units(path: Path) -> HiddenUnits:
    """Return where the hidden units of a checkpoint are.

    :param path: A folder or file on this machine.
    :raises BadInputError: If its weights cannot be opened.
    """
    weights = open_weights(path)
    found: dict[str, dict[int, str]] = {kind: {} for kind in _NAMES}
    for name, file in weights.owner.items():
        info = file.tensors[name]
        number_format = NUMBER_FORMATS.get(info.dtype)
        is_packed = info.dtype.startswith("F8") or (number_format is not None and number_format.is_integer)
        if len(info.shape) != 2 or is_packed or _EXPERT.search(name):
            continue
        for kind, pattern in _NAMES.items():
            if match := pattern.search(name):
                found[kind].setdefault(int(match[1]), name)
    return HiddenUnits(weights, dict(sorted(found["up"].items())), dict(sorted(found["gate"].items())))
