from hypothesis import given, settings
from tokenizers import normalizers, pre_tokenizers

from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.components import components, without_automatic_prefix
from tests.sources.written_tokenizers import sentencepiece_bytes, smollm2, texts
from tests.vocabulary.vocabularies import byte_level_bpe, llama_kind, unigram


def ids(encoder, text):
    return encoder.encode(text, add_special_tokens=False).ids


def test_an_encoder_without_a_prefix_is_returned_itself(tmp_path):
    encoder = byte_level_bpe(tmp_path, []).encoder
    assert without_automatic_prefix(encoder) is encoder


def test_the_space_in_front_is_gone_and_the_original_is_untouched(tmp_path):
    for source in (
        llama_kind(tmp_path, ["▁", "a", "▁a"], [("▁", "a")]),
        unigram(tmp_path, [("▁", -3.0), ("a", -2.0), ("▁a", -1.0)]),
    ):
        before = components(source.encoder)
        a, with_space = source.pieces.index("a"), source.pieces.index("▁a")
        guarded = without_automatic_prefix(source.encoder)
        assert ids(source.encoder, "a") == [with_space]
        assert ids(guarded, "a") == [a]
        assert components(source.encoder) == before


def test_a_byte_level_prefix_is_removed_too(tmp_path):
    prefixing = pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=True)])
    source = byte_level_bpe(tmp_path, [("Ġ", "a")], pre_tokenizer=prefixing, normalizer=normalizers.NFC())
    assert len(ids(source.encoder, "a")) == 1
    assert ids(without_automatic_prefix(source.encoder), "a") == [source.pieces.index("a")]


def test_special_tokens_keep_their_ids(tmp_path):
    source = llama_kind(tmp_path, ["▁", "a"], [])
    assert ids(without_automatic_prefix(source.encoder), "a<s>") == [source.pieces.index("a"), 1]


def test_a_sentencepiece_prefix_beside_user_defined_symbols_is_removed(tmp_path):
    (tmp_path / "m.model").write_bytes(sentencepiece_bytes("bpe", user_defined_symbols="<tool>"))
    source = open_tokenizer(tmp_path / "m.model")
    guarded = without_automatic_prefix(source.encoder)
    for text in ("a<tool>b", "All human", "<tool>"):
        with_prefix = [source.pieces[i] for i in ids(source.encoder, text)]
        without = [source.pieces[i] for i in ids(guarded, text)]
        assert "".join(with_prefix).removeprefix("▁") == "".join(without)
        assert not without[0].startswith("▁")


@settings(max_examples=30, deadline=None)
@given(texts)
def test_settings_are_read_without_changing_anything(text):
    encoder = _smollm2().encoder
    before = ids(encoder, text)
    assert components(encoder)["pre_tokenizer"]["type"] == "Sequence"
    assert ids(encoder, text) == before


def _smollm2(cache=[]):  # noqa: B006 (read once)
    if not cache:
        cache.append(open_tokenizer(smollm2()))
    return cache[0]
