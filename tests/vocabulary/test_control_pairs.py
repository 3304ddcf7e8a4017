"""Pairs to be copied and spelling by characters, on a vocabulary written out by hand."""

from __future__ import annotations

import numpy as np

from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.vocabulary.control_pairs import apart, control_pairs, mixes_scripts, spell_by_characters
from forensics.vocabulary.improbable_pairs import ImprobablePair
from forensics.vocabulary.spelling import token_bytes
from tests.vocabulary.vocabularies import byte_level_bpe


def spelt(data):
    return "".join(CHARACTER_OF_BYTE[byte] for byte in data)


def letters_as_tokens(folder, letters="абαβ"):
    """All letters of a short alphabet as tokens, made of their two bytes."""
    return byte_level_bpe(folder, [(spelt(c.encode()[:1]), spelt(c.encode()[1:])) for c in letters])


def drawn(source, is_usable=lambda token: True, draws=400):
    pairs = control_pairs(
        token_bytes(source), source.encoder, is_usable, np.random.default_rng(0), draws=draws
    )
    return list(pairs)


def test_pairs_come_back_and_are_of_other_scripts(tmp_path):
    source = letters_as_tokens(tmp_path)
    found = drawn(source)
    assert {pair.text for pair in found} == {a + b for a in "абαβ" for b in "абαβ"}
    for pair in found:
        assert source.encoder.encode(pair.text).ids == [pair.prefix, pair.suffix]


def test_only_usable_tokens_are_paired(tmp_path):
    source = letters_as_tokens(tmp_path)
    kept = {token for token, data in enumerate(token_bytes(source)) if data in ("а".encode(), "α".encode())}
    assert {pair.text for pair in drawn(source, kept.__contains__)} == {"аа", "аα", "αа", "αα"}


def test_a_vocabulary_without_such_tokens_gives_none(tmp_path):
    assert drawn(byte_level_bpe(tmp_path, [("a", "b")])) == []


def test_letters_of_two_scripts_are_told_from_one_script_and_signs():
    texts = {"аα": True, "αβ": False, "а…": False}
    assert {text: mixes_scripts(ImprobablePair(0, 1, text)) for text in texts} == texts


def test_no_token_is_in_two_pairs():
    pairs = [ImprobablePair(a, b, "") for a, b in ((1, 2), (2, 3), (3, 4), (4, 5), (6, 6), (7, 1))]
    assert [(pair.prefix, pair.suffix) for pair in apart(pairs, 9)] == [(1, 2), (3, 4), (6, 6)]
    assert apart(pairs, 1) == pairs[:1]


def test_characters_are_spelt_by_their_token_or_their_bytes(tmp_path):
    data = token_bytes(letters_as_tokens(tmp_path))
    token_of_bytes = {spelling: token for token, spelling in enumerate(data)}
    ids = spell_by_characters("аЯ", token_of_bytes)
    assert len(ids) == 3
    assert b"".join(data[i] for i in ids).decode() == "аЯ"
    assert spell_by_characters("Я", {b"a": 0}) is None
