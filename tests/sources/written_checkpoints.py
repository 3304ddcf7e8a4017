"""Small checkpoints written by the reference libraries, for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

V, D = 40, 16


def matrix(seed: int, rows: int = V, columns: int = D, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(dtype)


def block(prefix: str = "model.layers.0.") -> dict[str, np.ndarray]:
    return {prefix + "mlp.up_proj.weight": matrix(9, D, D)}


def write_folder(folder: Path, tensors: dict[str, np.ndarray], config: dict[str, Any] | None = None) -> Path:
    """Write a Hugging Face folder with one safetensors file."""
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_sharded(folder: Path, shards: dict[str, dict[str, np.ndarray]]) -> Path:
    """Write shards and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    weight_map = {}
    for shard, tensors in shards.items():
        safetensors.numpy.save_file(tensors, folder / shard)
        weight_map |= dict.fromkeys(tensors, shard)
    write_index(folder, weight_map)
    return folder


def write_index(folder: Path, weight_map: object) -> None:
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def raw_safetensors(header: object, data: bytes = b"") -> bytes:
    """Assemble a safetensors file by hand, sound or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


LLAMA = {"architectures": ["LlamaForCausalLM"], "vocab_size": V, "hidden_size": D, "num_hidden_layers": 1}
