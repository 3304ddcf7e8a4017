"""Scans of real released models that come as packages."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy

from forensics.runs.scan.run import scan
from forensics.runs.tokens import tokens
from forensics.sources import open_checkpoint, open_tokenizer
from tests.sources.written_tokenizers import minilm


@pytest.fixture(scope="module")
def smollm2():
    return scan("demo", verify=False)


def test_smollm2_glitch_tokens_rank_first(smollm2):
    """Look-alikes of the never-used control tokens are at the top; their names are no English words."""
    table = smollm2.tokens
    top = table[(table.category == "ok") & ~table.is_byte].sort_values("rank").piece.head(40).tolist()
    known = {"PlaneProtection", "ManagementPlaneProtection", "ĠInstancePreprocess", "swigfaiss"}
    assert known <= set(top)
    common = table.set_index("piece")["rank"][["Ġthe", "Ġof", "Ġand", "Ġwater"]]
    assert (common > 1000).all()


def test_smollm2_references_are_rows_that_training_never_told_apart(smollm2):
    reference = smollm2.summary["reference"]
    assert reference["has_evidence"]
    assert reference["agreement"] > 0.98
    assert {"<file_sep>", "<jupyter_code>"} <= set(smollm2.tokens.piece[smollm2.tokens.is_reference])
    assert "<|endoftext|>" not in set(smollm2.tokens.piece[smollm2.tokens.is_reference])


def test_the_same_weights_as_a_folder_give_the_same_indicators(smollm2, tmp_path):
    checkpoint, source = open_checkpoint("demo"), open_tokenizer("demo")
    E = checkpoint.embedding.rows(0, checkpoint.embedding.shape[0])
    weights = {"model.embed_tokens.weight": np.array(E)}
    safetensors.numpy.save_file(weights, tmp_path / "model.safetensors")
    config = {"architectures": ["LlamaForCausalLM"], "vocab_size": 49152, "hidden_size": 576}
    (tmp_path / "config.json").write_text(json.dumps(config))
    source.encoder.save(str(tmp_path / "tokenizer.json"))
    folder = scan(tmp_path, verify=False)
    for name in smollm2.summary["indicator"]["names"]:
        np.testing.assert_allclose(folder.tokens[name], smollm2.tokens[name], atol=1e-6)
    assert folder.tokens.category.tolist() == smollm2.tokens.category.tolist()
    assert folder.summary["reference"]["ids"] == smollm2.summary["reference"]["ids"]


def test_an_embedding_model_is_scanned_by_its_embedding():
    result = scan(minilm())
    assert result.summary["embedding"]["tying"] == "no_head"
    assert set(result.summary["indicator"]["names"]) == {"ein_l2_norm", "ein_cosine"}
    assert result.summary["verification"]["skipped"]
    unused = result.tokens.piece.str.fullmatch(r"\[unused\d+\]")
    assert (result.tokens.is_reference & unused).sum() > 500


def test_tokens_of_the_demo_model(tmp_path):
    result = tokens("demo", out=tmp_path / "out")
    assert len(result.tokens) == 49152
    assert result.summary["counts"]["partial_utf8"] == 200
    assert "eout_cosine" not in result.tokens
    assert (tmp_path / "out" / "report.html").exists()
