import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.sources.written_tokenizers import byte_level_json, encode, minilm, texts

FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """MiniLM from `vocab.txt` alone, beside MiniLM from its tokenizer.json."""
    folder = tmp_path_factory.mktemp("bert")
    for name in ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(minilm() / name, folder / name)
    return open_tokenizer(folder), open_tokenizer(minilm())


def test_vocab_txt_gives_the_same_vocabulary_as_tokenizer_json(bert):
    ours, reference = bert
    assert ours.model is TokenizerModel.WORDPIECE
    assert ours.pieces == reference.pieces
    assert ours.declared_unused == reference.declared_unused
    assert {token.token_id for token in ours.added_tokens} == {
        token.token_id for token in reference.added_tokens
    }
    assert ours.pretokenizer_origin == "class BertTokenizer (tokenizer_config.json)"


@FILES
@given(texts)
def test_vocab_txt_encodes_as_tokenizer_json_does(bert, text):
    ours, reference = bert
    assert encode(ours, text) == encode(reference, text)


def test_vocab_txt_alone_says_that_lowercasing_is_not_stated(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\nthe\n##s\n")
    source = open_tokenizer(tmp_path)
    assert source.pretokenizer_origin is None
    assert encode(source, "Thes the") == [1, 2, 1]
    assert any("no file says whether text is lowercased" in note for note in source.notes)


def test_capital_letters_in_the_entries_show_a_cased_vocabulary(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\nthe\nThe\n")
    assert encode(open_tokenizer(tmp_path / "vocab.txt"), "The the") == [2, 1]


def test_vocab_txt_without_an_unknown_token_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("the\n##s\n")
    with pytest.raises(BadInputError, match=r"no entry '\[UNK\]'"):
        open_tokenizer(tmp_path)


def gpt2_folder(folder, **config):
    model = json.loads(byte_level_json())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    folder = gpt2_folder(
        tmp_path_factory.mktemp("gpt2"), tokenizer_class="GPT2TokenizerFast", eos_token="<|endoftext|>"
    )
    reference = tmp_path_factory.mktemp("json") / "tokenizer.json"
    reference.write_text(byte_level_json(), encoding="utf-8")
    return open_tokenizer(folder), open_tokenizer(reference)


@FILES
@given(texts)
def test_vocab_and_merges_encode_as_tokenizer_json_does(gpt2, text):
    ours, reference = gpt2
    assert encode(ours, text) == encode(reference, text)
    assert ours.merges == reference.merges


def test_an_unknown_class_is_said_and_not_guessed(tmp_path):
    source = open_tokenizer(gpt2_folder(tmp_path, tokenizer_class="NeverHeardOfTokenizer"))
    assert source.pretokenizer_origin is None
    assert any("NeverHeardOfTokenizer" in note for note in source.notes)
    assert source.byte_level


@pytest.mark.parametrize("line", ["one", "a b c", " b"])
def test_a_damaged_merge_is_named_by_its_line(tmp_path, line):
    gpt2_folder(tmp_path)
    (tmp_path / "merges.txt").write_text(f"#version: 0.2\n{line}\n")
    with pytest.raises(BadInputError, match="line 2 is not two pieces"):
        open_tokenizer(tmp_path)


def test_a_vocabulary_without_the_byte_characters_is_refused(tmp_path):
    gpt2_folder(tmp_path)
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(BadInputError, match="256 byte characters"):
        open_tokenizer(tmp_path)
