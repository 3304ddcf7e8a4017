"""Folders that hold an ONNX export and no other weights, as made for ONNX Runtime."""

import json
import shutil
import warnings

import numpy as np
import pytest

from forensics.errors import BadInputError, MissingExtraError
from forensics.progress import Progress
from forensics.sources.runtimes import onnx_weights
from forensics.sources.runtimes.text_encoder import open_text_encoder
from tests.extras import need
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder

need("onnx")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    import torch
    from transformers import AutoModel

    folder = write_embedding_folder(tmp_path_factory.mktemp("tiny") / "tiny-embedder")
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():  # biases that differ, as training leaves them: exporters merge equal ones
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(
                parameter.shape, generator=torch.Generator().manual_seed(parameter.numel())
            )
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def exported(original, tmp_path):
    return exported_folder(original, tmp_path / "exported")


def exported_folder(original, folder, *, place="onnx/model.onnx", pooled=False):
    """Copy the folder with a graph in the place of the weights."""
    import torch
    from transformers import AutoModel

    shutil.copytree(original, folder)
    (folder / "model.safetensors").unlink()
    file = folder / place
    file.parent.mkdir(exist_ok=True)

    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = AutoModel.from_pretrained(original, attn_implementation="eager")

        def forward(self, input_ids, attention_mask):
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return states.mean(dim=1) if pooled else states

    axes = {0: "texts", 1: "length"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Wrapped().eval(),
            (torch.tensor([[2, 9, 8, 3]]), torch.ones(1, 4, dtype=torch.int64)),
            str(file),
            input_names=["input_ids", "attention_mask"],
            output_names=["out"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "out": axes},
            opset_version=17,
            dynamo=False,
        )
    return folder


class Heard(Progress):
    """Keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def note(self, message):
        self.notes.append(message)


def edit(folder, change):
    """Change the graph of a folder."""
    import onnx

    file = folder / "onnx" / "model.onnx"
    graph = onnx.load(str(file))
    change(graph.graph)
    onnx.save(graph, str(file))


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_the_vectors_are_those_of_the_model_that_was_exported(original, tmp_path, place):
    folder = exported_folder(original, tmp_path / "exported", place=place)
    expected, found = (open_text_encoder(f, device="cpu", backend="torch") for f in (original, folder))
    texts = expected.tokenize(english(9, 0))
    np.testing.assert_allclose(found.embed(texts), expected.embed(texts), atol=1e-6)
    assert folder / place in found.files


def test_nodes_without_scopes_are_named_by_their_biases(original, exported):
    def forget_scopes(graph):
        for i, node in enumerate(graph.node):
            node.name = f"{node.op_type}_{i}"

    edit(exported, forget_scopes)
    expected, found = (open_text_encoder(f, device="cpu", backend="torch") for f in (original, exported))
    texts = expected.tokenize(english(9, 0))
    np.testing.assert_allclose(found.embed(texts), expected.embed(texts), atol=1e-6)


def test_a_matrix_that_nothing_names_is_missing(exported):
    def forget_one(graph):
        node = next(n for n in graph.node if n.name.endswith("layer.0/attention/self/query/MatMul"))
        node.name = "MatMul_1"
        added = next(n for n in graph.node if node.output[0] in n.input)
        added.input[:] = [node.output[0] if name == node.output[0] else "renamed" for name in added.input]

    edit(exported, forget_one)
    with pytest.raises(
        BadInputError, match=r"no fitting numbers for 1 tensors of the encoder, first .*query\.weight"
    ):
        open_text_encoder(exported, device="cpu")


def test_half_precision_weights_are_read(original, exported):
    from onnx import numpy_helper

    def halve(graph):
        for tensor in graph.initializer:
            array = numpy_helper.to_array(tensor)
            if array.dtype == np.float32:
                tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), tensor.name))

    edit(exported, halve)
    expected, found = (open_text_encoder(f, device="cpu", backend="torch") for f in (original, exported))
    texts = expected.tokenize(english(9, 0))
    np.testing.assert_allclose(found.embed(texts), expected.embed(texts), atol=2e-3)


def test_weights_beside_the_export_are_taken_before_it(original, exported):
    shutil.copy(original / "model.safetensors", exported)
    (exported / "onnx" / "model.onnx").write_bytes(b"damaged")
    assert open_text_encoder(exported, device="cpu").rows


def test_a_graph_without_token_vectors_is_read_with_a_remark(original, tmp_path):
    folder = exported_folder(original, tmp_path / "pooled", pooled=True)
    heard = Heard()
    assert open_text_encoder(folder, device="cpu", progress=heard).rows
    assert any("gives no token vectors to compare" in note for note in heard.notes)


def test_a_config_of_another_model_is_refused(exported):
    file = exported / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "num_attention_heads": 4}))
    with pytest.raises(BadInputError, match=r"gives other token vectors than config\.json with its weights"):
        open_text_encoder(exported, device="cpu")
    file.write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(
        BadInputError, match=r"no fitting numbers for 16 tensors of the encoder, first encoder\.layer\.2\."
    ):
        open_text_encoder(exported, device="cpu")
    file.write_text(json.dumps({**config, "max_position_embeddings": 64}))
    with pytest.raises(
        BadInputError,
        match=r"no fitting numbers for 1 tensors of the encoder, first embeddings\.position_embeddings",
    ):
        open_text_encoder(exported, device="cpu")


def test_of_several_exports_the_usual_one_is_taken_or_one_that_is_not_reduced(exported):
    usual = exported / "onnx" / "model.onnx"
    for name in ("model_fp16.onnx", "decoder_int8.onnx", "model_quantized.onnx"):
        shutil.copy(usual, exported / "onnx" / name)
    assert onnx_weights.find_export(exported) == usual
    usual.unlink()
    assert onnx_weights.find_export(exported) == exported / "onnx" / "model_fp16.onnx"
    shutil.copytree(exported / "onnx", exported / "elsewhere")
    shutil.rmtree(exported / "onnx")
    assert onnx_weights.find_export(exported) is None


@pytest.mark.parametrize("of", ["nodes", "matrices"])
def test_quantised_weights_are_refused(exported, of):
    from onnx import helper, numpy_helper

    def quantise(graph):
        if of == "nodes":
            graph.node.append(helper.make_node("MatMulInteger", ["a", "b"], ["c"]))
        else:
            graph.initializer.append(numpy_helper.from_array(np.ones((4, 4), np.int8), "MatMulInteger"))

    edit(exported, quantise)
    with pytest.raises(BadInputError, match=r"holds quantised weights \(MatMulInteger\)"):
        open_text_encoder(exported, device="cpu")


@pytest.mark.parametrize("size", [0, 1, 500, 5000])
def test_a_damaged_file_is_one_clear_line(exported, size):
    file = exported / "onnx" / "model.onnx"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(BadInputError, match=r"model\.onnx"):
        open_text_encoder(exported, device="cpu")


def test_without_the_extra_it_says_what_to_install(exported, monkeypatch):
    monkeypatch.setattr(onnx_weights, "is_installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r"forensics\[onnx\]"):
        open_text_encoder(exported, device="cpu")
