"""Every layout that sentence-transformers loads gives its vectors here, whoever loads the folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.runtimes import load_embedding_model
from forensics.sources.runtimes.sentence_transformers_check import check_against_library
from forensics.sources.runtimes.text_encoder import open_text_encoder
from tests.extras import need
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder

library = need("sentence_transformers")

POOLING = "1_Pooling/config.json"
TRANSFORMER = "sentence_bert_config.json"
MODEL = "config_sentence_transformers.json"
TEXTS = [*english(5, 3), "River ZEBRA Crossing", "house", " ".join(english(6, 4))]


def change(folder: Path, name: str, **values: object) -> None:
    """Change keys of a JSON file of the folder; None removes one."""
    file = folder / name
    known = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({k: v for k, v in {**known, **values}.items() if v is not None}))


def add_module(folder: Path, kind: str, path: str) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    place = len(modules) - 1  # before the normalisation
    modules.insert(
        place, {"idx": place, "name": path, "path": path, "type": f"sentence_transformers.models.{kind}"}
    )
    (folder / "modules.json").write_text(json.dumps(modules))


def legacy_vocabulary(folder: Path) -> None:
    """Leave `vocab.txt` and no tokenizer.json."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)))
    (folder / "tokenizer.json").unlink()
    change(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer")


def cased_tokenizer_lower_cased_by_the_library(folder: Path) -> None:
    change(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False)
    change(folder, TRANSFORMER, do_lower_case=True)


def prompt(folder: Path, *, pooled: bool) -> None:
    change(folder, MODEL, prompts={"query": "forest candle: "}, default_prompt_name="query")
    change(folder, POOLING, include_prompt=pooled)


def dense(folder: Path, *, pickled: bool) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    tensors = {"linear.weight": torch.randn(16, 32), "linear.bias": torch.randn(16)}
    add_module(folder, "Dense", "2_Dense")
    place = folder / "2_Dense"
    place.mkdir()
    activation = "torch.nn.modules.linear.Identity" if pickled else "torch.nn.modules.activation.Tanh"
    settings = {"in_features": 32, "out_features": 16, "bias": True, "activation_function": activation}
    (place / "config.json").write_text(json.dumps(settings))
    if pickled:
        torch.save(tensors, place / "pytorch_model.bin")
    else:
        save_file(tensors, place / "model.safetensors")


def saved_anew(folder: Path) -> None:
    """Let the library load the folder and write it in its present form, with a shorter limit."""
    model = library.SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = 11
    model.save_pretrained(str(folder))


def own_class(folder: Path) -> None:
    file = folder / "modules.json"
    file.write_text(file.read_text().replace("sentence_transformers.models.Transf", "custom_st.Transf"))


def own_activation(folder: Path) -> None:
    dense(folder, pickled=False)
    change(folder, "2_Dense/config.json", activation_function="a.B")


def modes(*words: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, POOLING, pooling_mode_mean_tokens=None, pooling_mode=[*words])


def byte_level_tokenizer(folder: Path) -> int:
    """Write a small byte-level BPE with `<s>` and `</s>` around texts; return its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(english(20, 0), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    change(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", **names)
    return tokenizer.get_vocab_size()


def roberta(folder: Path) -> None:
    """Positions begin after that of padding, so that the window is two shorter than their table."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    rows = byte_level_tokenizer(folder)
    config = RobertaConfig(vocab_size=rows, max_position_embeddings=42, pad_token_id=1, **sizes)
    RobertaModel(config).save_pretrained(folder)


def decoder(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    LlamaModel(LlamaConfig(vocab_size=byte_level_tokenizer(folder), **sizes)).save_pretrained(folder)
    modes("lasttoken")(folder)


def t5_encoder(folder: Path) -> None:
    """An encoder-decoder stored whole, of which the encoder is used; with a dense layer."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import T5Config, T5Model

    pieces = [
        "<pad>",
        "</s>",
        "<unk>",
        "\u2581",
        *(f"\u2581{word}" for word in TEXTS[0].split()),
        *"abcdeilnorst",
    ]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unk_id=2))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    change(
        folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", pad_token="<pad>",
        eos_token="</s>", unk_token="<unk>",
    )  # fmt: skip
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(pieces), d_model=32, d_kv=16, d_ff=32, num_layers=2, num_heads=2)
    T5Model(config).save_pretrained(folder)
    dense(folder, pickled=True)


VARIANTS: dict[str, Callable[[Path], object]] = {
    "as it is": lambda folder: None,
    "vocab.txt only": legacy_vocabulary,
    "limit of the tokenizer": lambda folder: (
        change(folder, TRANSFORMER, max_seq_length=None, do_lower_case=False),
        change(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", model_max_length=12),
    ),
    "limit of the positions": lambda folder: (
        change(folder, TRANSFORMER, max_seq_length=None, do_lower_case=False)
    ),
    "cut at the beginning": lambda folder: (
        change(folder, TRANSFORMER, max_seq_length=9),
        change(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", truncation_side="left"),
    ),
    "cased": lambda folder: change(
        folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False
    ),
    "lower-cased by the library": cased_tokenizer_lower_cased_by_the_library,
    "prompt": lambda folder: prompt(folder, pooled=True),
    "prompt left out of the pooling": lambda folder: prompt(folder, pooled=False),
    "one mode as a list": modes("mean"),
    "several modes": modes("cls", "mean_sqrt_len_tokens", "max", "weightedmean", "lasttoken", "mean"),
    "several modes by booleans": lambda folder: change(folder, POOLING, pooling_mode_cls_token=True),
    "no mode": lambda folder: change(folder, POOLING, pooling_mode_mean_tokens=False),
    "dense layer": lambda folder: dense(folder, pickled=False),
    "dense layer in a pickle": lambda folder: dense(folder, pickled=True),
    "fewer dimensions": lambda folder: change(folder, MODEL, truncate_dim=8),
    "saved anew": saved_anew,
    "RoBERTa": roberta,
    "decoder": decoder,
    "T5": t5_encoder,
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_similarities_are_those_of_encode(tmp_path, monkeypatch, variant) -> None:
    """As it is where the library is not installed: the files are read and run without it."""
    folder = write_embedding_folder(tmp_path / "model")
    VARIANTS[variant](folder)
    monkeypatch.setattr(load_embedding_model, "is_installed", lambda: False)
    encoder = open_text_encoder(folder, device="cpu")
    vectors = encoder.embed(encoder.tokenize(TEXTS)).astype(np.float64)
    model = library.SentenceTransformer(str(folder), device="cpu")
    expected = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False).astype(np.float64)
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-5)
    # Vectors that were all alike would agree on everything.
    assert (expected @ expected.T).min() < 0.999
    check_against_library(encoder, model, encoder.layout.prompt)


@pytest.mark.parametrize("variant", ["prompt", "T5"])
def test_the_library_loads_the_folder_where_it_is_installed(tmp_path, variant) -> None:
    folder = write_embedding_folder(tmp_path / "model")
    VARIANTS[variant](folder)
    progress = Progress()
    encoder = open_text_encoder(folder, device="cpu", progress=progress)
    assert "compare with sentence-transformers" in progress.seconds
    expected = library.SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.embed(encoder.tokenize(TEXTS)), expected, atol=1e-6)


@pytest.mark.parametrize("installed", [True, False])
def test_weights_filled_at_random_are_refused(tmp_path, monkeypatch, installed) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_embedding_folder(tmp_path / "model")
    if not installed:
        monkeypatch.setattr(load_embedding_model, "is_installed", lambda: False)
    weights = load_file(folder / "model.safetensors")
    without_pooler = {name: tensor for name, tensor in weights.items() if "pooler" not in name}
    save_file(without_pooler, folder / "model.safetensors", {"format": "pt"})
    open_text_encoder(folder, device="cpu")  # nothing that is pooled here comes from there
    name = next(name for name in without_pooler if "attention.self.query.weight" in name)
    del without_pooler[name]
    save_file(without_pooler, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInputError, match=r"no numbers for 1 tensors, first .*query\.weight"):
        open_text_encoder(folder, device="cpu")


@pytest.mark.parametrize(
    "key", ["_attn_implementation", "attn_implementation", "_attn_implementation_internal"]
)
def test_code_named_by_the_folder_is_not_asked_for(tmp_path, key) -> None:
    folder = write_embedding_folder(tmp_path / "model")
    expected = open_text_encoder(folder, device="cpu")
    change(folder, "config.json", **{key: "org/kernel"})
    encoder = open_text_encoder(folder, device="cpu")
    assert encoder.model.config._attn_implementation in ("eager", "sdpa")
    assert f"config.json names code to run ({key}: 'org/kernel'); it is not heeded" in encoder.notes
    ids = expected.tokenize(TEXTS)
    np.testing.assert_allclose(encoder.embed(ids), expected.embed(ids), atol=1e-6)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "class of the folder's own": (
        own_class,
        r"asks for the module 'custom_st\.Transformer', which is not supported",
    ),
    "unknown module": (lambda folder: add_module(folder, "LSTM", "2_LSTM"), "LSTM', which is not supported"),
    "unknown mode": (modes("median"), r"pooling modes \['median'\]"),
    "arguments for loading": (
        lambda folder: change(folder, TRANSFORMER, model_args={"attn_implementation": "org/kernel"}),
        "asks for attn_implementation, which is not supported",
    ),
    "another task": (
        lambda folder: change(folder, TRANSFORMER, transformer_task="fill-mask"),
        "asks for transformer_task",
    ),
    "another kind of model": (
        lambda folder: change(folder, MODEL, model_type="SparseEncoder"),
        "is a SparseEncoder",
    ),
    "a prompt that is not there": (
        lambda folder: change(folder, MODEL, prompts={}, default_prompt_name="query"),
        "names the default prompt 'query'",
    ),
    "an adapter": (lambda folder: change(folder, "adapter_config.json", r=8), "is an adapter"),
    "an activation of the folder's own": (
        own_activation,
        "the activation 'a.B'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_change_a_vector_and_is_not_known_is_refused(tmp_path, case) -> None:
    folder = write_embedding_folder(tmp_path / "model")
    spoil, said = REFUSED[case]
    spoil(folder)
    with pytest.raises(BadInputError, match=said):
        open_text_encoder(folder, device="cpu")


def test_another_embedding_than_the_librarys_is_refused(tmp_path, monkeypatch) -> None:
    folder = write_embedding_folder(tmp_path / "model")
    given = library.SentenceTransformer.encode
    monkeypatch.setattr(
        library.SentenceTransformer,
        "encode",
        lambda self, text, **more: given(self, text.upper()[::-1], **more),
    )
    with pytest.raises(BadInputError, match="not that of sentence-transformers"):
        open_text_encoder(folder, device="cpu")
