"""What is fetched of a repository: the hub's own filter over files of real layouts, nothing downloaded."""

import json

import huggingface_hub
import pytest
from huggingface_hub.utils import filter_repo_objects

from forensics.sources.hub import fetch_from_hub

MODULES = json.dumps(
    [
        {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
        {"idx": 3, "path": "../elsewhere", "type": "sentence_transformers.models.Normalize"},
    ]
)
SENTENCE_TRANSFORMERS = {
    "modules.json": MODULES,
    "config.json": "{}",
    "tokenizer.json": "{}",
    "1_Pooling/config.json": "{}",
    "2_Dense/config.json": "{}",
    "2_Dense/model.safetensors": "",
    "model.safetensors": "",
    "pytorch_model.bin": "",
    "onnx/model.onnx": "",
    "openvino/openvino_model.bin": "",
    "checkpoint-500/trainer_state.json": "{}",
}
EXPORT = {
    "config.json": "{}",
    "tokenizer.json": "{}",
    "onnx/model.onnx": "",
    "onnx/model.onnx_data": "",
    "onnx/model_quantized.onnx": "",
    "README.md": "",
}
BINARY = {
    "config.json": "{}",
    "pytorch_model.bin": "",
    "training_args.bin": "",
    "model.gguf": "",
    "model.onnx": "",
}


@pytest.fixture
def fetch(tmp_path, monkeypatch):
    """Return a function: fetch a repository with these files and say which of them came."""

    def fetched(repository):
        def snapshot_download(hub_id, *, allow_patterns, ignore_patterns, local_files_only):
            assert (hub_id, local_files_only) == ("org/name", False)
            kept = filter_repo_objects(
                repository, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
            )
            for name in kept:
                file = tmp_path / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(repository[name])
            return str(tmp_path)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        assert fetch_from_hub("org/name", offline=False) == tmp_path
        return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}

    return fetched


def test_the_modules_of_an_embedding_model_come_with_it(fetch):
    assert fetch(SENTENCE_TRANSFORMERS) == {
        "modules.json",
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
    }


def test_an_export_is_fetched_where_there_are_no_other_weights(fetch):
    assert fetch(EXPORT) == {"config.json", "tokenizer.json", "onnx/model.onnx", "onnx/model.onnx_data"}


def test_only_the_weights_of_the_first_kind_there_are_come(fetch):
    assert fetch(BINARY) == {"config.json", "pytorch_model.bin"}


def test_a_damaged_list_of_modules_is_left_to_who_reads_it(fetch):
    assert fetch({"modules.json": '{"a": 1}', "model.safetensors": ""}) == {
        "modules.json",
        "model.safetensors",
    }
