import json

import pytest
import sentencepiece
from hypothesis import HealthCheck, given, settings

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.sources.written_tokenizers import damage, encode, garbled, sentencepiece_bytes, texts

FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
#: Kinds of models, as options of the trainer.
KINDS = {
    "bpe with byte fallback, Llama's kind": {
        "model_type": "bpe",
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
    },
    "bpe without prefix, Gemma's kind": {
        "model_type": "bpe",
        "byte_fallback": True,
        "add_dummy_prefix": False,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
    },
    "bpe that squeezes spaces": {"model_type": "bpe", "normalization_rule_name": "identity"},
    "unigram with byte fallback": {
        "model_type": "unigram",
        "byte_fallback": True,
        "normalization_rule_name": "identity",
    },
    "unigram, T5's kind": {"model_type": "unigram", "normalization_rule_name": "identity"},
}


@pytest.fixture(scope="module", params=KINDS, ids=list(KINDS))
def pair(request, tmp_path_factory):
    data = sentencepiece_bytes(**KINDS[request.param])
    path = tmp_path_factory.mktemp("spm") / "tokenizer.model"
    path.write_bytes(data)
    return open_tokenizer(path), sentencepiece.SentencePieceProcessor(model_proto=data)


@FILES
@given(texts)
def test_encoding_equals_that_of_the_native_processor(pair, text):
    ours, native = pair
    text = text.replace("\x00", "")  # SentencePiece ends a text there
    assert encode(ours, text) == native.encode(text)


def test_pieces_scores_and_types_equal_those_of_the_native_processor(pair):
    ours, native = pair
    ids = range(native.vocab_size())
    assert ours.pieces == tuple(native.id_to_piece(i) for i in ids)
    assert ours.scores.tolist() == [native.get_score(i) for i in ids]
    assert ours.byte_fallback == any(native.is_byte(i) for i in ids)
    special = {token.token_id for token in ours.added_tokens if token.special}
    assert special == {i for i in ids if native.is_control(i) or native.is_unknown(i)}
    assert ours.special_roles["bos"] == {"tokenizer.model": native.bos_id()}
    assert "pad" not in ours.special_roles


def test_the_character_map_is_applied(tmp_path):
    data = sentencepiece_bytes("unigram", normalization_rule_name="nmt_nfkc")
    (tmp_path / "spiece.model").write_bytes(data)
    ours, native = open_tokenizer(tmp_path), sentencepiece.SentencePieceProcessor(model_proto=data)
    for text in ("Ａｌｌ human　beings", "ﬁ ①", "ä a\u0308", " a\tb\n"):
        assert encode(ours, text) == native.encode(text)


def test_user_defined_symbols_are_cut_out_first(tmp_path):
    data = sentencepiece_bytes(
        "bpe",
        user_defined_symbols="<tool>,human",
        byte_fallback=True,
        normalization_rule_name="identity",
    )
    (tmp_path / "tokenizer.model").write_bytes(data)
    ours, native = (
        open_tokenizer(tmp_path / "tokenizer.model"),
        sentencepiece.SentencePieceProcessor(model_proto=data),
    )
    assert {token.content for token in ours.added_tokens if not token.special} == {"<tool>", "human"}
    for text in ("All humane<tool>beings", "a <tool> b", "reason<tool><tool>", "<tool>a", " a", "humanhuman"):
        assert encode(ours, text) == native.encode(text)


def test_control_symbols_are_never_made_from_text(tmp_path):
    for model_type in ("bpe", "unigram"):
        data = sentencepiece_bytes(model_type, byte_fallback=True)
        path = tmp_path / "tokenizer.model"
        path.write_bytes(data)
        ours = open_tokenizer(path)
        assert ours.pieces[1] == "<s>"
        assert encode(ours, "a<s></s><unk>") == sentencepiece.SentencePieceProcessor(model_proto=data).encode(
            "a<s></s><unk>"
        )


def test_word_models_are_refused(tmp_path):
    (tmp_path / "m.model").write_bytes(sentencepiece_bytes("char"))
    with pytest.raises(BadInputError, match="kind 'char'"):
        open_tokenizer(tmp_path / "m.model")


def test_the_algorithm_is_told(tmp_path):
    (tmp_path / "m.model").write_bytes(sentencepiece_bytes("unigram"))
    source = open_tokenizer(tmp_path / "m.model")
    assert (source.model, source.merges) == (TokenizerModel.UNIGRAM, ())


@FILES
@given(damage)
def test_a_garbled_file_is_read_or_refused(tmp_path, how):
    path = tmp_path / "m.model"
    path.write_bytes(garbled(sentencepiece_bytes("unigram", 300), *how))
    try:
        source = open_tokenizer(path)
    except BadInputError as error:
        assert "\n" not in str(error)
    else:
        assert len(source.pieces) > 0


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_added_tokens_beside_a_model_of_an_unknown_class(tmp_path, kind):
    data = sentencepiece_bytes(model_type=kind, normalization_rule_name="identity")
    (tmp_path / "tokenizer.model").write_bytes(data)
    bare = open_tokenizer(tmp_path)
    size = len(bare.pieces)
    decoder = {
        "1": {"content": bare.pieces[1], "special": True},
        "2": {"content": "<other>", "special": True},
        str(size): {"content": "<tool>", "special": True},
        str(size + 3): {"content": "<far>", "lstrip": True},
    }
    config = {"tokenizer_class": "OwnTokenizer", "added_tokens_decoder": decoder}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    source = open_tokenizer(tmp_path)
    assert source.pieces == (*bare.pieces, "<tool>", None, None, "<far>")
    assert encode(source, "<tool>") == [size]
    assert encode(source, "a  <far>")[-1] == size + 3
    assert encode(source, "the cat") == encode(bare, "the cat")
    assert any("'<other>' as id 2, where the model has" in note for note in source.notes)
    added = {token.content: (token.token_id, token.special) for token in source.added_tokens}
    assert (added["<tool>"], added["<far>"]) == ((size, True), (size + 3, False))
