import json

import numpy as np
import pytest
import sentencepiece
from hypothesis import HealthCheck, given, settings

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.sources.tokenizer_files.sentencepiece_proto import parse_model
from tests.sources.written_tokenizers import (
    byte_level_json,
    damage,
    encode,
    garbled,
    minilm,
    sentencepiece_bytes,
    smollm2,
    texts,
    write_gguf_tokenizer,
)

FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONTROL, USER_DEFINED, UNUSED = 3, 4, 5


def byte_level(path, pre="gpt-2", **entries):
    model = json.loads(byte_level_json())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    types = [CONTROL, *[1] * (len(tokens) - 1)]
    named = {"pre": pre} if pre else {}
    merges = [" ".join(pair) for pair in model["merges"]]
    return write_gguf_tokenizer(path, "gpt2", tokens, token_type=types, merges=merges, **named, **entries)


def from_sentencepiece(path, data, kind, **entries):
    """What llama.cpp's converter writes for a SentencePiece model."""
    model = parse_model(path, data)
    extra = (
        {"precompiled_charsmap": np.frombuffer(model.charsmap, np.uint8).tolist()} if model.charsmap else {}
    )
    return write_gguf_tokenizer(
        path,
        kind,
        model.pieces,
        scores=[float(score) for score in model.scores],
        token_type=model.types,
        add_space_prefix=model.dummy_prefix,
        remove_extra_whitespaces=model.remove_extra_whitespaces,
        **extra,
        **entries,
    )


@pytest.fixture(scope="module")
def gpt2_kind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    (folder / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    return open_tokenizer(byte_level(folder / "model.gguf")), open_tokenizer(folder / "tokenizer.json")


@FILES
@given(texts)
def test_byte_level_bpe_encodes_as_the_tokenizer_it_was_converted_from(gpt2_kind, text):
    ours, reference = gpt2_kind
    assert encode(ours, text) == encode(reference, text)


def test_byte_level_bpe_is_the_same_tokenizer(gpt2_kind):
    ours, reference = gpt2_kind
    assert (ours.pieces, ours.merges) == (reference.pieces, reference.merges)
    assert ours.byte_level
    assert ours.pretokenizer_origin == "llama.cpp name 'gpt-2'"


@pytest.mark.parametrize("pre", ["never-heard-of", None])
def test_an_unknown_pretokenizer_is_said_and_not_guessed(tmp_path, pre):
    source = open_tokenizer(byte_level(tmp_path / "model.gguf", pre=pre))
    assert source.pretokenizer_origin is None
    assert any("pre-tokenizer" in note for note in source.notes)


@pytest.fixture(scope="module")
def llama_kind(tmp_path_factory):
    data = sentencepiece_bytes(
        "bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False
    )
    path = from_sentencepiece(
        tmp_path_factory.mktemp("llama") / "model.gguf", data, "llama", unknown_token_id=0
    )
    return open_tokenizer(path), sentencepiece.SentencePieceProcessor(model_proto=data)


@FILES
@given(texts)
def test_sentencepiece_bpe_encodes_as_the_native_processor(llama_kind, text):
    ours, native = llama_kind
    text = text.replace("\x00", "")  # SentencePiece ends a text there
    assert encode(ours, text) == native.encode(text)


def test_sentencepiece_bpe_has_byte_fallback_and_recovered_merges(llama_kind):
    ours, _ = llama_kind
    assert (ours.model, ours.byte_fallback, ours.byte_level) == (TokenizerModel.BPE, True, False)
    assert {left + right for left, right in ours.merges} <= set(ours.pieces)
    assert any("recovered from the scores" in note for note in ours.notes)


def test_no_space_is_put_in_front_where_the_file_says_so(tmp_path):
    tokens, scores = ["<unk>", "▁", "a", "▁a"], [0.0, -1.0, -2.0, -3.0]
    for prefix, expected in ((True, [3]), (False, [2])):
        path = write_gguf_tokenizer(
            tmp_path / "m.gguf",
            "llama",
            tokens,
            scores=scores,
            token_type=[2, 1, 1, 1],
            add_space_prefix=prefix,
        )
        assert encode(open_tokenizer(path), "a") == expected


@pytest.fixture(scope="module")
def t5_kind(tmp_path_factory):
    data = sentencepiece_bytes("unigram", normalization_rule_name="nmt_nfkc")
    path = from_sentencepiece(tmp_path_factory.mktemp("t5") / "model.gguf", data, "t5", unknown_token_id=0)
    return open_tokenizer(path), sentencepiece.SentencePieceProcessor(model_proto=data)


def test_unigram_encodes_as_the_native_processor(t5_kind):
    ours, native = t5_kind
    assert ours.model is TokenizerModel.UNIGRAM
    lines = ["All human  beings ", "  Ｗürde ①", "自由であり、かつ", "свободными и\tравными", "a", ""]
    assert [encode(ours, line) for line in lines] == [native.encode(line) for line in lines]


@pytest.fixture(scope="module")
def bert_kind(tmp_path_factory):
    reference = open_tokenizer(minilm())
    special = {token.token_id for token in reference.added_tokens}
    # As llama.cpp's converter rewrites pieces: word starts are marked, continuations lose their marker.
    tokens = [
        piece
        if piece.startswith("[") and piece.endswith("]")
        else piece[2:]
        if piece.startswith("##")
        else "▁" + piece
        for piece in reference.pieces
    ]
    types = [CONTROL if i in special else 1 for i in range(len(tokens))]
    path = write_gguf_tokenizer(
        tmp_path_factory.mktemp("bert") / "model.gguf", "bert", tokens, token_type=types, unknown_token_id=100
    )
    return open_tokenizer(path), reference


@FILES
@given(texts)
def test_wordpiece_encodes_as_the_tokenizer_it_was_converted_from(bert_kind, text):
    ours, reference = bert_kind
    assert encode(ours, text) == encode(reference, text)


def test_token_types_become_added_tokens_and_unused_ids(tmp_path):
    tokens = ["<unk>", "<s>", "<x>", "a", "b", "zz"]
    path = write_gguf_tokenizer(
        tmp_path / "m.gguf",
        "llama",
        tokens,
        scores=[0.0] * 6,
        token_type=[2, CONTROL, USER_DEFINED, 1, 1, UNUSED],
        add_space_prefix=False,
        bos_token_id=1,
        eos_token_id=99,
        unknown_token_id=0,
        chat_template="{{ messages }}",
    )
    source = open_tokenizer(path)
    assert [(token.token_id, token.special) for token in source.added_tokens] == [
        (0, True),
        (1, True),
        (2, False),
    ]
    assert source.declared_unused == {5: "unused"}
    assert source.special_roles == {"bos": {"m.gguf": 1}, "eos": {"m.gguf": 99}, "unk": {"m.gguf": 0}}
    assert any("eos token's id 99 is outside" in note for note in source.notes)
    assert source.chat_template == "{{ messages }}"
    assert encode(source, "<s>a<x>b") == [1, 3, 2, 4]


def test_smollm2_reads_with_the_splitting_of_its_name():
    source = open_tokenizer(smollm2())
    assert (len(source.pieces), len(source.merges)) == (49152, 48900)
    assert source.pretokenizer_origin == "llama.cpp name 'smollm'"
    assert [source.pieces[i] for i in encode(source, "in 2024")] == ["in", "Ġ", "2", "0", "2", "4"]
    assert encode(source, "<|im_start|>") == [1]
    assert source.chat_template.startswith("{% for message in messages %}")


@pytest.mark.parametrize(
    ("kind", "entries", "found"),
    [
        ("rwkv", {}, "of kind 'rwkv'"),
        ("gpt2", {}, "without merges"),
        ("llama", {}, "without scores"),
        ("t5", {}, "without scores"),
        ("llama", {"scores": [0.0, 1.0]}, "one per token"),
        ("llama", {"scores": [0.0, float("nan"), 0.0]}, "NaN"),
        ("gpt2", {"merges": ["ab"]}, "holds 'ab'"),
        ("gpt2", {"merges": ["x y"]}, "out of vocabulary"),
    ],
)
def test_what_is_broken_is_named(tmp_path, kind, entries, found):
    path = write_gguf_tokenizer(tmp_path / "m.gguf", kind, ["a", "b", "ab"], **entries)
    with pytest.raises(BadInputError, match=r"m\.gguf") as error:
        open_tokenizer(path)
    assert found in str(error.value)


@FILES
@given(damage)
def test_a_garbled_file_is_read_or_refused(tmp_path, how):
    path = tmp_path / "m.gguf"
    path.write_bytes(garbled(_small_file(tmp_path), *how))
    try:
        source = open_tokenizer(path)
    except BadInputError as error:
        assert "\n" not in str(error)
    else:
        assert len(source.pieces) > 0


def _small_file(folder, kept={}):  # noqa: B006 (written once)
    if not kept:
        data = sentencepiece_bytes("unigram", 300, normalization_rule_name="nmt_nfkc")
        kept["t5"] = from_sentencepiece(folder / "small.gguf", data, "t5", unknown_token_id=0).read_bytes()
    return kept["t5"]


def test_a_file_without_a_tokenizer_is_named(tmp_path):
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BadInputError, match="no tokenizer in the metadata"):
        open_tokenizer(tmp_path / "m.gguf")
