"""A dense layer after the pooling, as sentence-transformers saves it: read, and run in torch.

Sentence-T5, LaBSE and others have one. The activation is named as a Python class; only those listed here are
known, and nothing is imported by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.tensors.open_tensor_file import open_tensor_file

__all__ = ["WEIGHT_FILES", "read_dense_layer"]

#: Where the weights are, the first that is there counts.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid")
_KEYS = frozenset(
    {"in_features", "out_features", "bias", "activation_function", "module_input_name", "module_output_name"}
)


def read_dense_layer(folder: Path, device: Any) -> Callable[[Any], Any]:
    """Return the layer in `folder` as a function of vectors, `(n, in)` -> `(n, out)`, in float32.

    :param device: The torch device it works on.
    :raises BadInputError: If a file cannot be read, or asks for what is not known.
    """
    import torch

    config = read_json(folder / "config.json")
    activation = _activation(folder / "config.json", config)
    file = next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)
    if file is None:
        raise BadInputError(folder, f"holds none of {', '.join(WEIGHT_FILES)}", "fetch the whole model")
    stored = open_tensor_file(file)
    weight = torch.from_numpy(stored.values("linear.weight")).to(device)
    bias = torch.from_numpy(stored.values("linear.bias")).to(device) if config.get("bias", True) else None
    return lambda vectors: activation(torch.nn.functional.linear(vectors, weight, bias))


def _activation(file: Path, config: dict[str, Any]) -> Any:
    """Return the activation, refusing what is not known."""
    import torch

    unknown = [key for key in config if key not in _KEYS and config[key]]
    between = [config.get(key) for key in ("module_input_name", "module_output_name")]
    if unknown or any(name not in (None, "sentence_embedding") for name in between):
        found = f"asks for {', '.join(unknown) or 'another place than after the pooling'}"
        raise BadInputError(file, f"{found}, which is not supported", "use a model with plain dense layers")
    name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    kind = name.rpartition(".")[2]
    if not name.startswith("torch.nn.") or kind not in _ACTIVATIONS:
        found = f"asks for the activation {name!r}, where {', '.join(_ACTIVATIONS)} are known"
        raise BadInputError(file, found, "use a model with one of those")
    return getattr(torch.nn, kind)()
