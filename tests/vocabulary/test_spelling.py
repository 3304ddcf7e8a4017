from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.spelling import continues_word, text_of_bytes, token_bytes
from tests.sources.written_tokenizers import minilm, sentencepiece_bytes, write_gguf_tokenizer
from tests.vocabulary.vocabularies import byte_level_bpe, llama_kind, wordpiece


def spelt(source):
    return dict(zip(source.pieces, token_bytes(source), strict=True))


def test_byte_level_pieces_are_bytes(tmp_path):
    source = byte_level_bpe(tmp_path, [("Ġ", "t"), ("Ã", "©")], added=["<|end of text|>"])
    bytes_of = spelt(source)
    assert bytes_of["Ġt"] == b" t"
    assert bytes_of["Ã©"] == "é".encode()
    assert bytes_of["Ã"] == b"\xc3"
    assert bytes_of["<|end of text|>"] == b"<|end of text|>"
    assert sorted(bytes_of.values())[:256] != []
    assert {data for data in bytes_of.values() if len(data) == 1} == {bytes([byte]) for byte in range(256)}


def test_a_byte_level_piece_outside_the_alphabet_is_text(tmp_path):
    assert spelt(byte_level_bpe(tmp_path, [], extra=["a b東"]))["a b東"] == "a b東".encode()


def test_sentencepiece_pieces_are_text_with_spaces_and_bytes(tmp_path):
    bytes_of = spelt(llama_kind(tmp_path, ["▁", "▁a", "▁a▁b", "é"], []))
    assert bytes_of["▁a▁b"] == b" a b"
    assert bytes_of["é"] == "é".encode()
    assert bytes_of["<0x0A>"] == b"\n"
    assert bytes_of["<0xFF>"] == b"\xff"
    assert bytes_of["<s>"] == b"<s>"


def test_without_byte_fallback_the_same_name_is_text(tmp_path):
    (tmp_path / "m.model").write_bytes(sentencepiece_bytes("unigram"))
    assert not open_tokenizer(tmp_path / "m.model").byte_fallback
    assert spelt(wordpiece(tmp_path, ["<0x0A>"]))["<0x0A>"] == b"<0x0A>"


def test_wordpiece_continuations_lose_their_marker(tmp_path):
    source = wordpiece(tmp_path, ["the", "##s", "##", "▁x"])
    bytes_of = spelt(source)
    assert (bytes_of["##s"], bytes_of["the"], bytes_of["##"]) == (b"s", b"the", b"##")
    assert bytes_of["▁x"] == "▁x".encode()
    inside = continues_word(source)
    assert [inside(piece) for piece in ("##s", "the", "##")] == [True, False, False]


def test_wordpiece_of_gguf_marks_the_other_pieces(tmp_path):
    tokens = ["[UNK]", "▁the", "s", "[unused0]", "▁["]
    path = write_gguf_tokenizer(
        tmp_path / "m.gguf", "bert", tokens, token_type=[3, 1, 1, 1, 1], unknown_token_id=0
    )
    source = open_tokenizer(path)
    assert token_bytes(source) == (b"[UNK]", b"the", b"s", b"[unused0]", b"[")
    inside = continues_word(source)
    assert [inside(piece) for piece in tokens] == [False, False, True, False, False]


def test_bytes_equal_what_the_library_decodes():
    """On a real vocabulary: a word start decodes to its bytes, a continuation to its marker and bytes."""
    source = open_tokenizer(minilm())
    inside = continues_word(source)
    for token_id, (piece, data) in enumerate(zip(source.pieces, token_bytes(source), strict=True)):
        assert ("##" if inside(piece) else "") + data.decode() == source.encoder.id_to_token(token_id)


def test_text_is_none_for_nothing_and_for_parts_of_characters():
    assert [text_of_bytes(data) for data in (b"a", "é".encode(), b"\xc3", b"", None)] == [
        "a",
        "é",
        None,
        None,
        None,
    ]
    assert text_of_bytes("\ufffd".encode()) == "\ufffd"
    assert text_of_bytes(b"\xed\xa0\x80") is None  # a lone surrogate
