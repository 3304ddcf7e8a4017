from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from forensics.sources.tokenizer_files.byte_alphabet import (
    CHARACTER_OF_BYTE,
    byte_of_fallback_piece,
    bytes_of_piece,
    piece_of_bytes,
)


def test_the_alphabet_is_that_of_the_tokenizers_library():
    assert set(CHARACTER_OF_BYTE.values()) == set(pre_tokenizers.ByteLevel.alphabet())


@given(st.text(max_size=20))
def test_text_is_spelt_as_the_tokenizers_library_spells_it(text):
    spelt = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    assert piece_of_bytes(text.encode()) == "".join(piece for piece, _ in spelt)


@given(st.binary(max_size=20))
def test_bytes_survive_the_round_trip(data):
    assert bytes_of_piece(piece_of_bytes(data)) == data


def test_a_character_outside_the_alphabet_spells_nothing():
    assert bytes_of_piece("a b") is None
    assert bytes_of_piece("東") is None


def test_only_the_exact_form_is_a_fallback_byte():
    assert byte_of_fallback_piece("<0x0A>") == 10
    assert byte_of_fallback_piece("<0xff>") == 255
    assert [byte_of_fallback_piece(piece) for piece in ("<0x0>", "<0x100>", "x<0x0A>", "0x0A")] == [None] * 4
