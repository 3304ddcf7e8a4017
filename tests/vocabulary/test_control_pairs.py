"""Control pairs and spelling by characters, on a vocabulary written out by hand."""

from __future__ import annotations

import numpy as np

from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.vocabulary.control_pairs import control_pairs, spell_by_characters
from forensics.vocabulary.spelling import token_bytes
from tests.vocabulary.vocabularies import byte_level_bpe


def spelt(data):
    return "".join(CHARACTER_OF_BYTE[byte] for byte in data)


def russian(folder):
    """All letters of a short alphabet as tokens, made of their two bytes."""
    letters = [c.encode() for c in "абвг"]
    return byte_level_bpe(folder, [(spelt(c[:1]), spelt(c[1:])) for c in letters])


def test_pairs_come_back_and_are_of_other_scripts(tmp_path):
    source = russian(tmp_path)
    found = control_pairs(token_bytes(source), source.encoder, 6, np.random.default_rng(0))
    assert len({pair.text for pair in found}) == len(found) == 6
    for pair in found:
        assert set(pair.text) <= set("абвг")
        assert source.encoder.encode(pair.text).ids == [pair.prefix, pair.suffix]


def test_fewer_where_there_are_no_more(tmp_path):
    source = byte_level_bpe(tmp_path, [("a", "b")])
    assert control_pairs(token_bytes(source), source.encoder, 3, np.random.default_rng(0)) == []


def test_characters_are_spelt_by_their_token_or_their_bytes(tmp_path):
    source = russian(tmp_path)
    data = token_bytes(source)
    ids = spell_by_characters("аЯ", data)
    assert len(ids) == 3
    assert b"".join(data[i] for i in ids).decode() == "аЯ"
    assert spell_by_characters("Я", [b"a"]) is None
