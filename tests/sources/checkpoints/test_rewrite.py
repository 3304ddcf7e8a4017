"""Copies of model folders with other rows: what is refused, and what index and configuration say then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from forensics.errors import BadInputError
from forensics.sources import open_checkpoint
from forensics.sources.checkpoints.rewrite import check_rewritable, stale_weights, token_tensors, write_copy
from forensics.sources.tensors.safetensors_rewrite import RowChange

V, D = 12, 4
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "tie_word_embeddings": False,
    "vision_config": {"vocab_size": 99}, "text_config": {"vocab_size": V, "hidden_size": D},
}  # fmt: skip


def write_folder(folder: Path, embedding: np.ndarray, **more: np.ndarray) -> Path:
    """Write a sharded folder: the embedding in one file, everything else in the other."""
    rng = np.random.default_rng(0)
    head = {"lm_head.weight": rng.normal(size=(V, D)).astype(np.float32)}
    bias = {"lm_head.bias": rng.normal(size=V).astype(np.float32)}
    shards = {"a.safetensors": {"model.embed_tokens.weight": embedding, **more}, "b.safetensors": head | bias}
    folder.mkdir(parents=True, exist_ok=True)
    for name, tensors in shards.items():
        safetensors.numpy.save_file(tensors, folder / name)
    index = {
        "metadata": {"total_size": sum(each.nbytes for of in shards.values() for each in of.values())},
        "weight_map": {tensor: name for name, tensors in shards.items() for tensor in tensors},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "sub").mkdir()
    (folder / "sub" / "vocabulary.txt").write_text("a b c")
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    rows = np.random.default_rng(1).normal(size=(V, D)).astype(np.float16)
    return write_folder(tmp_path / "model", rows)


def test_index_and_configuration_say_the_new_size_and_nothing_else_is_touched(folder, tmp_path):
    checkpoint = open_checkpoint(folder)
    tensors = token_tensors(checkpoint)
    names = ["model.embed_tokens.weight", "lm_head.weight", "lm_head.bias"]
    assert [info.name for info in tensors.all] == names
    ids = np.arange(V, V + 4)
    changes = {
        info.name: RowChange(ids, np.ones((4, 1 if len(info.shape) == 1 else D), np.float32), V + 4)
        for info in tensors.all
    }
    copied = {each.path: each.changed for each in write_copy(checkpoint, tmp_path / "copy", changes, V + 4)}
    assert copied == {
        "a.safetensors": True,
        "b.safetensors": True,
        "config.json": True,
        "model.safetensors.index.json": True,
        "sub/vocabulary.txt": False,
    }
    again = open_checkpoint(tmp_path / "copy")
    assert (again.embedding.shape, again.unembedding.shape) == ((V + 4, D), (V + 4, D))
    assert len(again.head_bias) == again.config_vocab_size == V + 4
    config = json.loads((tmp_path / "copy" / "config.json").read_text())
    assert config == {**CONFIG, "text_config": {**CONFIG["text_config"], "vocab_size": V + 4}}
    index = json.loads((tmp_path / "copy" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == (V + 4) * (2 * D + 4 * D + 4)


def test_a_copy_appears_beside_the_original_only_and_whole(folder, tmp_path):
    checkpoint = open_checkpoint(folder)
    with pytest.raises(BadInputError, match="lies in the folder"):
        write_copy(checkpoint, folder / "inside", {})
    with pytest.raises(BadInputError, match="already"):
        write_copy(checkpoint, tmp_path, {})
    wrong = {"lm_head.weight": RowChange(np.array([0]), np.ones((1, D), np.float32), V)}
    (folder / "b.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(BadInputError, match="holds no tensor"):
        write_copy(checkpoint, tmp_path / "copy", wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_what_cannot_be_written_is_refused_with_the_reason(folder, tmp_path):
    checkpoint = open_checkpoint(folder)
    check_rewritable(checkpoint)
    with pytest.raises(BadInputError, match="GGUF"):
        check_rewritable(replace(checkpoint, format="gguf"))
    with pytest.raises(BadInputError, match="pickled"):
        check_rewritable(replace(checkpoint, format="bin"))
    quantised = np.random.default_rng(1).integers(-99, 99, size=(V, D)).astype(np.int8)
    scales = {"model.embed_tokens.weight_scale": np.ones((V, 1), np.float32)}
    with pytest.raises(BadInputError, match=r"quantised matrix \(I8\)"):
        check_rewritable(open_checkpoint(write_folder(tmp_path / "int8", quantised, **scales)))


def test_weights_in_other_formats_are_named(folder):
    for name in ("pytorch_model.bin", "model.gguf", "training_args.bin"):
        (folder / name).write_bytes(b"0")
    assert stale_weights(folder) == ("model.gguf", "pytorch_model.bin")
