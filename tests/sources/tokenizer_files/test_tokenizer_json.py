import json

import pytest
from hypothesis import HealthCheck, given, settings

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.extras import need
from tests.sources.written_tokenizers import byte_level_json, damage, encode, garbled, minilm, texts

FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder, **changes):
    """The small byte-level tokenizer in `folder`, with parts of its model or of the file replaced."""
    data = json.loads(byte_level_json())
    for key, value in changes.items():
        (data["model"] if key in data["model"] else data)[key] = value
    (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    return folder / "tokenizer.json"


def test_pieces_merges_and_kind_stand_as_in_the_file(tmp_path):
    data = json.loads(byte_level_json())
    source = open_tokenizer(written(tmp_path))
    assert (source.format, source.model, source.byte_level) == ("tokenizer.json", TokenizerModel.BPE, True)
    assert {piece: i for i, piece in enumerate(source.pieces)} == data["model"]["vocab"]
    assert [list(pair) for pair in source.merges] == [list(pair) for pair in data["model"]["merges"]]
    assert [(token.token_id, token.special) for token in source.added_tokens] == [(0, True)]
    assert source.pretokenizer_origin == "tokenizer.json"


def test_both_spellings_of_merges_are_read(tmp_path):
    merges = [list(pair) for pair in json.loads(byte_level_json())["model"]["merges"]]
    pairs = open_tokenizer(written(tmp_path, merges=merges))
    words = open_tokenizer(written(tmp_path, merges=[" ".join(pair) for pair in merges]))
    assert pairs.merges == words.merges


def test_truncation_and_padding_of_the_file_are_no_part_of_encoding():
    assert "truncation" in (minilm() / "tokenizer.json").read_text(encoding="utf-8")
    source = open_tokenizer(minilm() / "tokenizer.json")
    assert len(encode(source, "word " * 2000)) == 2000
    assert len(encode(source, "word")) == 1


def test_gaps_are_kept_and_noted(tmp_path):
    vocab = dict(json.loads(byte_level_json())["model"]["vocab"])
    last = max(vocab, key=vocab.get)
    vocab["Zgap"] = vocab[last] + 3
    source = open_tokenizer(written(tmp_path, vocab=vocab))
    assert source.pieces[-3:] == (None, None, "Zgap")
    assert any("2 ids have no piece" in note for note in source.notes)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"merges": [["qq", "zz"]]}, "out of vocabulary"),
        ({"vocab": {"a": 0, "b": 0}, "merges": []}, "stands for both"),
        ({"vocab": {"a": 2**31}, "merges": []}, "the id of 'a'"),
        ({"vocab": {"a": -1}, "merges": []}, "refuses it"),
        ({"pre_tokenizer": {"type": "Nonsense"}}, "refuses it"),
        ({"model": 3}, "without a `model`"),
    ],
)
def test_what_is_broken_is_named(tmp_path, changes, found):
    with pytest.raises(BadInputError, match=r"tokenizer\.json") as error:
        open_tokenizer(written(tmp_path, **changes))
    assert found in str(error.value)


def test_unigram_has_scores_by_id(tmp_path):
    vocab = [["<unk>", 0.0], ["a", -1.5], ["b", -2.5]]
    bare = {"pre_tokenizer": None, "decoder": None, "added_tokens": [], "post_processor": None}
    path = written(tmp_path, model={"type": "Unigram", "unk_id": 0, "vocab": vocab}, **bare)
    source = open_tokenizer(path)
    assert source.model is TokenizerModel.UNIGRAM
    assert source.scores.tolist() == [0.0, -1.5, -2.5]
    assert source.special_roles == {"unk": {"tokenizer.json": 0}}


def test_a_folder_adds_the_tokens_that_transformers_would_add(tmp_path):
    written(tmp_path)
    decoder = {
        "600": {"content": "<|im_start|>", "special": True},
        "601": {"content": "<tool>", "special": False},
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": decoder}))
    source = open_tokenizer(tmp_path)
    added = {
        token.content: (token.token_id, token.special, token.declared_in) for token in source.added_tokens
    }
    assert added["<|im_start|>"] == (600, True, "tokenizer_config.json")
    assert added["<tool>"] == (601, False, "tokenizer_config.json")
    assert source.pieces[600:] == ("<|im_start|>", "<tool>")
    assert encode(source, "<|im_start|><tool>") == [600, 601]
    lone = open_tokenizer(tmp_path / "tokenizer.json")
    assert len(lone.added_tokens) == 1


def test_an_id_that_the_library_does_not_honour_is_noted(tmp_path):
    written(tmp_path)
    decoder = {"900": {"content": "<far>", "special": True}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": decoder}))
    source = open_tokenizer(tmp_path)
    assert source.pieces[600:] == ("<far>",)
    assert any("'<far>' as id 900" in note for note in source.notes)


@pytest.fixture(scope="module")
def auto_tokenizer():
    transformers = need("transformers")
    return transformers.AutoTokenizer.from_pretrained(minilm(), local_files_only=True)


@pytest.fixture(scope="module")
def minilm_source():
    return open_tokenizer(minilm())


@FILES
@given(texts)
def test_encoding_equals_that_of_transformers(auto_tokenizer, minilm_source, text):
    assert encode(minilm_source, text) == auto_tokenizer.encode(text, add_special_tokens=False)


@FILES
@given(damage)
def test_a_garbled_file_is_read_or_refused(tmp_path, how):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(garbled(byte_level_json(300).encode(), *how))
    try:
        source = open_tokenizer(path)
    except BadInputError as error:
        assert "\n" not in str(error)
    else:
        assert len(source.pieces) > 0
