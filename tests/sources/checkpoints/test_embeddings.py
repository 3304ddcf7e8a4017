from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.sources.checkpoints.config import ModelConfig, gguf_config, huggingface_config
from forensics.sources.checkpoints.embeddings import find_embeddings, is_embedding_like
from forensics.sources.interface import TensorInfo

V, D = 1000, 64


def tensors(**shapes):
    """Tensor infos from `name=shape`, with `__` for a dot."""
    names = {name.replace("__", "."): shape for name, shape in shapes.items()}
    return {name: TensorInfo(name, shape, "F32", Path("m"), 0) for name, shape in names.items()}


def find(config=None, **shapes):
    return find_embeddings(Path("m"), tensors(**shapes), config or ModelConfig({}, V, D))


@pytest.mark.parametrize(
    ("family", "embedding", "head", "bias"),
    [
        ("llama", "model.embed_tokens.weight", "lm_head.weight", None),
        ("gpt2", "wte.weight", None, None),
        ("gpt2 with prefix", "transformer.wte.weight", "lm_head.weight", None),
        ("gpt", "transformer.tokens_embed.weight", None, None),
        (
            "electra",
            "electra.embeddings.word_embeddings.weight",
            "generator_lm_head.weight",
            "generator_lm_head.bias",
        ),
        ("phi", "model.embed_tokens.weight", "lm_head.weight", "lm_head.bias"),
        ("neox", "gpt_neox.embed_in.weight", "embed_out.weight", None),
        ("bloom", "transformer.word_embeddings.weight", "lm_head.weight", None),
        (
            "bert",
            "bert.embeddings.word_embeddings.weight",
            "cls.predictions.decoder.weight",
            "cls.predictions.bias",
        ),
        (
            "roberta",
            "roberta.embeddings.word_embeddings.weight",
            "lm_head.decoder.weight",
            "lm_head.decoder.bias",
        ),
        ("sentence-transformers", "embeddings.word_embeddings.weight", None, None),
        ("modernbert", "model.embeddings.tok_embeddings.weight", "decoder.weight", "decoder.bias"),
        ("t5", "shared.weight", "lm_head.weight", None),
        ("gguf", "token_embd.weight", "output.weight", "output.bias"),
        ("meta", "tok_embeddings.weight", "output.weight", None),
        ("mamba", "backbone.embeddings.weight", None, None),
        ("rwkv", "rwkv.embeddings.weight", "head.weight", None),
        (
            "vision-language",
            "language_model.model.embed_tokens.weight",
            "language_model.lm_head.weight",
            None,
        ),
        ("model2vec", "embeddings", None, None),
    ],
)
def test_known_families(family, embedding, head, bias):
    shapes = {embedding: (V, D), "norm.weight": (D,), "layers.0.mlp.up.weight": (V, D)}
    if head:
        shapes[head] = (V, D)
    if bias:
        shapes[bias] = (V,)
    found = find(**shapes)
    assert (found.embedding, found.unembedding, found.bias) == (embedding, head, bias)
    assert found.by_name
    assert found.notes == ()


def test_the_text_embedding_is_chosen_among_several_and_the_others_are_named():
    found = find(
        vision_tower__embed__weight=(V, D),
        model__vqmodel__quantize__embedding__weight=(512, 32),
        talker__model__embed_tokens__weight=(300, D),
        model__language_model__embed_tokens__weight=(V, D),
        model__layers__61__embed_tokens__weight=(V, D),
        talker__lm_head__weight=(300, D),
        lm_head__weight=(V, D),
    )
    assert found.embedding == "model.language_model.embed_tokens.weight"
    assert found.unembedding == "lm_head.weight"
    assert "several embeddings" in found.notes[0]
    assert "talker.model.embed_tokens.weight [300, 64]" in found.notes[0]


def test_the_configuration_decides_between_equal_names():
    found = find(ModelConfig({}, 500, D), a__embed_tokens__weight=(V, D), b__embed_tokens__weight=(500, D))
    assert found.embedding == "b.embed_tokens.weight"


def test_a_classifier_is_no_unembedding():
    found = find(wte__weight=(V, D), head__weight=(1000 // 2, D), h__0__attn__output__weight=(V, D))
    assert found.unembedding is None


def test_a_head_may_have_other_rows_than_the_embedding():
    found = find(model__embed_tokens__weight=(V + 8, D), lm_head__weight=(V, D))
    assert found.unembedding == "lm_head.weight"


def test_unknown_names_are_found_by_shape_and_said_so():
    found = find(my__tokens=(V, D), my__out_matrix=(V, D), other=(D, D))
    assert (found.embedding, found.unembedding, found.by_name) == ("my.tokens", "my.out_matrix", False)
    assert "by its shape" in found.notes[0]
    lone = find(ModelConfig({}), E=(V, D), b=(V,))
    assert lone.embedding == "E"


def test_nothing_to_find_lists_the_largest_matrices():
    with pytest.raises(BadInputError) as caught:
        find(a=(7, 7), b=(9, 9), c=(9,))
    assert "the largest matrices are b [9, 9], a [7, 7]" in str(caught.value)
    with pytest.raises(BadInputError, match="no matrix at all"):
        find(c=(9,))


@pytest.mark.parametrize("name", ["lm_head.weight", "output.weight"])
def test_an_unread_head_is_not_taken_for_a_missing_one(name):
    with pytest.raises(BadInputError, match="stored as a clever packing, which is not read"):
        embedding = tensors(model__embed_tokens__weight=(V, D))
        find_embeddings(Path("m"), embedding, ModelConfig({}), {name: "a clever packing"})


def test_names_that_missing_shards_must_not_hold():
    assert is_embedding_like("model.embed_tokens.weight")
    assert is_embedding_like("lm_head.weight")
    assert not is_embedding_like("model.layers.3.mlp.up_proj.weight")
    assert not is_embedding_like("vision_tower.embeddings.weight")


def test_config_of_a_multi_part_model_is_read_from_its_language_section():
    values = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "vocab_size": None,
        "text_config": {
            "vocab_size": 7,
            "hidden_size": 4,
            "num_hidden_layers": 2,
            "tie_word_embeddings": True,
        },
        "vision_config": {"hidden_size": 99},
    }
    config = huggingface_config(values)
    assert (config.vocab_size, config.hidden_size, config.block_count) == (7, 4, 2)
    assert config.tied is True
    assert config.has_head
    assert config.is_causal
    assert not huggingface_config({"architectures": ["T5ForConditionalGeneration"]}).is_causal


@pytest.mark.parametrize("value", [True, "32000", -1, 0, None, 3.5, [7], {}])
def test_a_vocabulary_size_of_a_wrong_type_counts_as_not_stated(value):
    assert huggingface_config({"vocab_size": value}).vocab_size is None


def test_gguf_config():
    metadata = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a", "b"], "llama.block_count": 3}
    config = gguf_config(metadata)
    assert (config.vocab_size, config.block_count, config.has_head, config.is_causal) == (2, 3, True, True)
    assert "tokenizer.ggml.tokens" not in config.values
    assert gguf_config({**metadata, "llama.vocab_size": 9}).vocab_size == 9
    assert gguf_config({**metadata, "llama.pooling_type": 3}).has_head is False
    assert gguf_config({"general.architecture": "bert"}).has_head is False
    assert gguf_config({}).has_head is None
