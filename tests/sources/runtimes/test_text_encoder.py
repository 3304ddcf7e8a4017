import json

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sources.runtimes.text_encoder import open_text_encoder
from tests.extras import need
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_embedding_folder(tmp_path_factory.mktemp("tiny") / "tiny-embedder")


def test_vectors_are_those_of_sentence_transformers(folder):
    library = need("sentence_transformers")
    texts = [*english(7, 0), "river", "zebra crossing"]
    encoder = open_text_encoder(folder, device="cpu")
    expected = library.SentenceTransformer(str(folder), device="cpu").encode(texts)
    np.testing.assert_allclose(encoder.embed(encoder.tokenize(texts)), expected, atol=1e-6)


def test_limits_and_frame_are_read_from_the_folder(folder):
    encoder = open_text_encoder(folder)
    assert (encoder.before, encoder.after) == ((2,), (3,))
    assert encoder.max_length == 40
    assert encoder.window == 38
    assert len(encoder.tokenize(["river " * 100])[0]) == 38
    assert {file.name for file in encoder.files} >= {"modules.json", "model.safetensors", "tokenizer.json"}


@pytest.mark.parametrize(("pooling", "position"), [("cls", 0), ("last", -1)])
def test_stated_pooling_takes_that_position(folder, pooling, position):
    import torch

    encoder = open_text_encoder(folder, pooling=pooling)
    with torch.inference_mode():
        states = encoder.model(input_ids=torch.tensor([[2, 7, 8, 3]])).last_hidden_state[0, position].numpy()
    np.testing.assert_allclose(encoder.embed([(7, 8)])[0], states / np.linalg.norm(states), atol=1e-6)


def test_attention_sums_to_one_and_leaves_the_vectors_alone(folder):
    encoder = open_text_encoder(folder)
    before = encoder.embed([(7, 8, 9)])
    attention = encoder.attention([(7, 8, 9)])[0]
    assert attention.shape == (2, 5)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(encoder.embed([(7, 8, 9)]), before)


def test_a_model_without_special_tokens_works(tmp_path):
    encoder = open_text_encoder(write_embedding_folder(tmp_path / "bare", frame=False))
    assert (encoder.before, encoder.after) == ((), ())
    assert encoder.embed([(7, 8)]).shape == (1, 32)
    with pytest.raises(BadInputError, match="without any token"):
        encoder.embed([()])


def test_a_folder_that_states_no_pooling_is_refused(tmp_path):
    folder = write_embedding_folder(tmp_path / "plain", modules=False)
    with pytest.raises(BadInputError, match=r"BertModel without modules\.json.*`pooling`"):
        open_text_encoder(folder)
    assert open_text_encoder(folder, pooling="mean").layout.pooling_origin == "the user"


def test_a_module_of_the_folders_own_is_refused(tmp_path):
    folder = write_embedding_folder(tmp_path / "own")
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "custom.Evil"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(BadInputError, match=r"custom\.Evil"):
        open_text_encoder(folder)


def test_a_text_beyond_the_window_is_refused(folder):
    with pytest.raises(BadInputError, match="39 tokens does not fit its window of 38"):
        open_text_encoder(folder).embed([(7,) * 39])


def test_vectors_that_are_not_finite_are_refused(folder):
    import torch

    encoder = open_text_encoder(folder)
    with torch.no_grad():
        encoder.model.embeddings.word_embeddings.weight[7] = float("nan")
    with pytest.raises(BadInputError, match="not finite"):
        encoder.embed([(7, 8)])
