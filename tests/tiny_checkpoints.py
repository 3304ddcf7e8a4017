"""Checkpoints by the dozen: a few hundred pieces, a few numbers a row, scanned in milliseconds."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import safetensors.numpy

ROWS, WIDTH = 272, 8
_ANOTHER_EVERY_TIME = ("seconds", "peak_rss_bytes")


@cache
def _tokenizer(merges: int) -> str:
    """Return a byte-level tokenizer with the first merges of a list."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pairs = [(left, right) for left in "eta" for right in "onir"][:merges]
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in pairs)]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer.to_str()


def write_checkpoint(folder: Path, seed: int, merges: int = 8) -> Path:
    """Write a checkpoint of random weights whose last rows lie past the vocabulary and are alike.

    :param folder: Where to.
    :param seed: Of the weights.
    :param merges: Pieces of its vocabulary besides the 256 bytes.
    """
    folder.mkdir(parents=True)
    rows = np.random.default_rng(seed).normal(size=(ROWS, WIDTH)).astype(np.float32)
    rows[256 + merges :] = rows[-1]
    safetensors.numpy.save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": ROWS}
    shape = {"hidden_size": WIDTH, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config | shape))
    (folder / "tokenizer.json").write_text(_tokenizer(merges))
    return folder


def bare_report(folder: Path) -> list[Path]:
    """Stand in for `render`: the plots take two seconds a run, and are no matter of many runs."""
    pages = [folder / "report.html", folder / "report.md"]
    for page in pages:
        page.write_text("a report")
    return pages


def scan_without_plots(model: str, **options: Any) -> Any:
    """Run `fx.scan`, its report left bare; may be sent to another process."""
    import forensics as fx

    with patch("forensics.report.render.render", bare_report):
        return fx.scan(model, **options)


def contents(out: Path) -> dict[str, bytes]:
    """Return what runs wrote below a folder, less times and memory, which stand in summary and report."""
    found = {}
    for path in sorted(out.rglob("*")):
        if path.is_dir() or path.name.startswith("report."):
            continue
        data = path.read_bytes()
        if path.name == "summary.json":
            kept = json.loads(data)
            data = json.dumps({key: kept[key] for key in kept if key not in _ANOTHER_EVERY_TIME}).encode()
        found[path.relative_to(out).as_posix()] = data
    return found
