"""Small tokenizers, GGUF files, checkpoints and parallel text, with what a test plants in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from forensics.sources.gguf.metadata import CONTROL, NORMAL
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.sources.written_checkpoints import write_folder
from tests.sources.written_tokenizers import byte_level_json, write_gguf_tokenizer

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"


def tokenizer_folder(folder: Path, change: Callable[[Any], object] = lambda _: None) -> Path:
    """Write a byte-level BPE as a Hugging Face folder, `change` applied to its tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.loads(byte_level_json())
    change(data)
    (folder / "tokenizer.json").write_text(json.dumps(data))
    config = {"eos_token": "<|endoftext|>", "chat_template": TEMPLATE, "add_bos_token": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def gguf_of(folder: Path, path: Path, **planted: Any) -> Path:
    """Write the tokenizer of a folder as a GGUF file; `planted` entries replace or change faithful ones."""
    source = open_tokenizer(folder)
    entries: dict[str, Any] = {
        "tokens": list(source.pieces),
        "token_type": [CONTROL, *[NORMAL] * (len(source.pieces) - 1)],
        "merges": [" ".join(pair) for pair in source.merges],
        "pre": "gpt-2",
        "eos_token_id": 0,
        "add_bos_token": False,
        "chat_template": TEMPLATE,
    }
    entries |= {key: change(entries[key]) if callable(change) else change for key, change in planted.items()}
    return write_gguf_tokenizer(path, "gpt2", entries.pop("tokens"), **entries)


def checkpoint(folder: Path, *, seed: int, noise: float = 0.0, width: int = 32) -> Path:
    """Write two gated layers and an embedding of random numbers, plus noise of so many times their spread."""
    random, other = np.random.default_rng(seed), np.random.default_rng(seed + 1000)

    def drawn(rows: int) -> np.ndarray:
        values = random.standard_normal((rows, width))
        return (values + noise * other.standard_normal((rows, width))).astype(np.float32)

    tensors = {"model.embed_tokens.weight": drawn(600)}
    for layer in range(2):
        for name in ("gate_proj", "up_proj"):
            tensors[f"model.layers.{layer}.mlp.{name}.weight"] = drawn(2 * width)
    config = {"architectures": ["LlamaForCausalLM"], "vocab_size": 600, "hidden_size": width}
    return tokenizer_folder(write_folder(folder, tensors, {**config, "num_hidden_layers": 2}))


def parallel_text(folder: Path, lines: int = 45) -> Path:
    """Write numbered sentences in two languages."""
    (folder / "eng_Latn.txt").write_text(
        "".join(f"All human beings are born free, {n}.\n" for n in range(lines))
    )
    (folder / "deu_Latn.txt").write_text(
        "".join(f"Alle Menschen sind frei und gleich geboren, Nummer {n}.\n" for n in range(lines))
    )
    return folder


def swapped(items: list[Any], one: int, other: int) -> list[Any]:
    """Return a list with two items exchanged."""
    items = list(items)
    items[one], items[other] = items[other], items[one]
    return items
