"""One small model, as transformers has it and as a GGUF file."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from tests.extras import need


@pytest.fixture(scope="session")
def model():
    torch, transformers = need("torch"), need("transformers")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=80,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
    )
    return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture(scope="session")
def gguf_file(model, tmp_path_factory) -> Path:
    """The same model as a GGUF file with a vocabulary, written with the names llama.cpp uses."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in {"block_count": 2, "context_length": 64, "embedding_length": 32}.items():
        writer.add_uint32(f"llama.{key}", value)
    for key, value in {
        "feed_forward_length": 64,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
    }.items():
        writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_bool("llama.some_switch", True)
    writer.add_string("general.name", "tiny")
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_array("tokenizer.ggml.tokens", [f"t{i}" for i in range(80)])
    writer.add_array("tokenizer.ggml.merges", ["a b", "c d"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        if name == "lm_head.weight":
            continue
        if "q_proj" in name or "k_proj" in name:  # llama.cpp orders the rotary halves differently
            heads = 4 if "q_proj" in name else 2
            values = (
                values.reshape(heads, 2, values.shape[0] // heads // 2, -1)
                .swapaxes(1, 2)
                .reshape(values.shape)
            )
        kind = gguf.GGMLQuantizationType.F32
        if name == "model.layers.0.mlp.up_proj.weight":
            kind = gguf.GGMLQuantizationType.Q8_0
            values = gguf.quants.quantize(values, kind)
        writer.add_tensor(
            names.get_name(name.removesuffix(".weight")) + ".weight",
            np.ascontiguousarray(values),
            raw_dtype=kind,
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
