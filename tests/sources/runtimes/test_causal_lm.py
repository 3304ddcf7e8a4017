"""Models that run, and models that must not or cannot."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import BadInputError, ForensicsError, MissingExtraError
from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.sources.gguf.file import read_gguf
from forensics.sources.gguf.slim import write_slim_gguf
from forensics.sources.runtimes.causal_lm import load_causal_lm, position_count
from forensics.undertrained.prompts import SLOT, Prompt
from forensics.undertrained.verification import Verifier
from tests.extras import need

torch = need("torch")
transformers = need("transformers")


@pytest.fixture
def folder(model, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.arange(20)[None]).logits


def test_a_folder_runs_as_it_was_saved(model, folder):
    loaded = load_causal_lm(open_checkpoint(folder), device="cpu")
    assert not loaded.training
    assert loaded.dtype == torch.float32
    assert torch.equal(logits(loaded), logits(model))


def test_the_dtype_is_the_one_asked_for(folder):
    assert load_causal_lm(open_checkpoint(folder), device="cpu", dtype="bfloat16").dtype == torch.bfloat16


def test_a_gguf_file_runs_like_the_model_it_was_made_from(model, gguf_file):
    loaded = load_causal_lm(open_checkpoint(gguf_file), device="cpu")
    assert loaded.get_input_embeddings().weight.shape == (80, 32)
    # One matrix is stored in 8 bits; everything else exactly.
    assert torch.allclose(logits(loaded), logits(model), atol=2e-3)
    assert not torch.equal(logits(loaded), logits(model))


def test_the_slim_copy_has_every_byte_of_every_tensor_and_no_tokenizer(gguf_file, tmp_path):
    write_slim_gguf(gguf_file, tmp_path / "slim.gguf")
    whole, slim = read_gguf(gguf_file), read_gguf(tmp_path / "slim.gguf")
    assert {k: v for k, v in whole.metadata.items() if not k.startswith("tokenizer.")} == dict(slim.metadata)
    assert any(k.startswith("tokenizer.") for k in whole.metadata)
    assert list(slim.tensors) == list(whole.tensors)
    for name, info in whole.tensors.items():
        copy = slim.tensors[name]
        assert (copy.shape, copy.dtype, copy.nbytes) == (info.shape, info.dtype, info.nbytes)
        ours, theirs = (
            path.read_bytes()[file.offset(name) : file.offset(name) + info.nbytes]
            for path, file in ((tmp_path / "slim.gguf", slim), (gguf_file, whole))
        )
        assert ours == theirs


def test_a_gguf_file_runs_without_room_for_a_copy(model, gguf_file, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    loaded = load_causal_lm(open_checkpoint(gguf_file), device="cpu")
    assert torch.allclose(logits(loaded), logits(model), atol=2e-3)


def test_code_in_the_folder_is_not_run(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "homemade",
        "auto_map": {"AutoConfig": "trap.Config", "AutoModelForCausalLM": "trap.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "trap.py").write_text(
        f"open({str(tmp_path / 'sprung')!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    )
    with pytest.raises(ForensicsError):
        load_causal_lm(replace(open_checkpoint(folder), is_causal_lm=True), device="cpu")
    assert not (tmp_path / "sprung").exists()


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_that_would_run_code_is_refused(model, folder, tmp_path):
    checkpoint = open_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    torch.save({**model.state_dict(), "x": Trap(str(tmp_path / "sprung"))}, folder / "pytorch_model.bin")
    assert pickle.dumps(Trap("x"))
    with pytest.raises(ForensicsError, match="cannot run"):
        load_causal_lm(checkpoint, device="cpu")
    assert not (tmp_path / "sprung").exists()


def test_says_why_a_model_cannot_be_run(folder):
    checkpoint = open_checkpoint(folder)
    with pytest.raises(BadInputError, match="without verification"):
        load_causal_lm(replace(checkpoint, is_causal_lm=False))
    with pytest.raises(BadInputError, match="float32"):
        load_causal_lm(checkpoint, dtype="int3")
    with pytest.raises(BadInputError, match="device"):
        load_causal_lm(checkpoint, device="abacus")
    (folder / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(BadInputError, match=r"transformers cannot run it .*without verification"):
        load_causal_lm(checkpoint, device="cpu")


def test_a_missing_library_is_answered_with_the_line_that_installs_it(folder, monkeypatch):
    checkpoint = open_checkpoint(folder)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"forensics\[models\]"):
        load_causal_lm(checkpoint)


# Whole models only, and no code that a configuration names.


def change_config(folder: Path, **changes) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_model_that_transformers_would_complete_at_random_is_refused(folder):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    left_out = next(name for name in tensors if "q_proj" in name)
    save_file({n: t for n, t in tensors.items() if n != left_out}, path, metadata={"format": "pt"})
    with pytest.raises(BadInputError, match=f"no numbers for 1 tensors, first {left_out}"):
        load_causal_lm(open_checkpoint(folder), device="cpu")


@pytest.mark.parametrize("key", ["_attn_implementation", "attn_implementation", "_experts_implementation"])
def test_an_implementation_named_by_the_folder_is_not_heeded(folder, key):
    change_config(folder, **{key: "hostile-org/kernel"})
    checkpoint = open_checkpoint(folder)
    assert any("names code to run" in note and "hostile-org/kernel" in note for note in checkpoint.notes)
    model = load_causal_lm(checkpoint, device="cpu")
    assert "hostile" not in str(model.config._attn_implementation)


def test_the_language_half_of_a_vision_model_runs(tmp_path):
    text = {"vocab_size": 80, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 2}  # fmt: skip
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
              "image_size": 28, "patch_size": 14}  # fmt: skip
    config = transformers.LlavaConfig(
        text_config=transformers.LlamaConfig(**text),
        vision_config=transformers.CLIPVisionConfig(**vision),
        image_token_index=1,
    )
    torch.manual_seed(0)
    whole = transformers.LlavaForConditionalGeneration(config).eval()
    whole.save_pretrained(tmp_path / "vlm")
    model = load_causal_lm(open_checkpoint(tmp_path / "vlm"), device="cpu", dtype="float32")
    ids = torch.tensor([[5, 9, 30]])
    with torch.inference_mode():
        assert torch.allclose(model(input_ids=ids).logits, whole(input_ids=ids).logits, atol=1e-5)


def test_positions_are_those_of_the_language_model(model):
    assert position_count(model) == 64


def test_a_model_spread_over_memory_and_files_gives_the_same_numbers(model, folder):
    need("accelerate")
    places = {"model.embed_tokens": "cpu", "model.layers.0": "cpu", "model.layers.1": "disk"}
    places |= {"model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
    spread = load_causal_lm(open_checkpoint(folder), device_map=places)
    assert {str(p.device) for p in spread.parameters()} == {"cpu", "meta"}
    prompts = (Prompt("explain", (1, 7, 8, 9, SLOT, 10, 11)), Prompt("continue", (1, 3, *(SLOT,) * 12)))
    probes = (Prompt("probe_equals", (1, 4, 5, 4, 6, 7, 5, 7, SLOT, 5)),)
    tokens = list(range(20, 30))
    found, truth = (
        Verifier(m, prompts, str, probes=probes).verify_past_probes(tokens) for m in (spread, model)
    )
    for ours, theirs in zip(found, truth, strict=True):
        assert ours.verdict is theirs.verdict
        assert ours.max_prob == pytest.approx(theirs.max_prob, rel=1e-4)
