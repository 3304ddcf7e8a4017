import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.kinds import Kind, Risk, id_gaps, longest_pieces, risks_of, vocabulary_kinds
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.vocabulary.build import build_vocabulary
from tests.auditing.tokenizers_at_hand import at_hand, spelt
from tests.vocabulary.vocabularies import byte_level_bpe, wordpiece

PLANTED = {
    " word": Kind.LETTERS,
    "d\u0301": Kind.LETTERS,
    " 2024": Kind.DIGITS,
    "...": Kind.PUNCTUATION,
    "\t\n": Kind.WHITESPACE,
    "  ": Kind.WHITESPACE,
    "x1": Kind.MIXED,
    "don't": Kind.MIXED,
    "東京都": Kind.LETTERS,
    "東京": Kind.LETTERS,
    " мир": Kind.LETTERS,
    "=" * 70: Kind.PUNCTUATION,
    " " * 80: Kind.WHITESPACE,
}


@pytest.fixture
def planted(tmp_path):
    partial = CHARACTER_OF_BYTE[0xE6] + CHARACTER_OF_BYTE[0x9D]
    source = byte_level_bpe(tmp_path, [], extra=[*map(spelt, PLANTED), partial], added=["<|end|>"])
    return source, build_vocabulary(source)


def test_planted_kinds(planted):
    source, vocabulary = planted
    kinds = vocabulary_kinds(source, vocabulary)
    by_text = dict(zip(vocabulary.text, kinds.kind.tolist(), strict=True))
    assert {text: by_text[text] for text in PLANTED} == PLANTED
    assert by_text["<|end|>"] == Kind.SPECIAL
    assert kinds.kind[vocabulary.bytes.index(b"\xe6\x9d")] == Kind.PARTIAL
    assert kinds.kind[vocabulary.bytes.index(b"\xe6")] == Kind.BYTE
    assert (kinds.han, kinds.han_long, kinds.very_long) == (2, 1, 1)
    assert sum(kinds.counts.values()) == len(vocabulary)
    assert kinds.counts["letters", "Cyrillic"] == 1
    assert kinds.begins_word[vocabulary.text.index(" мир")]
    assert not kinds.begins_word[vocabulary.text.index("東京")]
    longest = longest_pieces(vocabulary, kinds, most=1)
    assert [vocabulary.text[i] for i in longest["Han"]] == ["東京都"]


def test_wordpiece_begins_words_without_its_mark(tmp_path):
    source = wordpiece(tmp_path, ["cat", "##s", "##1"])
    kinds = vocabulary_kinds(source, build_vocabulary(source))
    pieces = dict(zip(source.pieces, kinds.begins_word.tolist(), strict=True))
    assert (pieces["cat"], pieces["##s"], pieces["##1"]) == (True, False, False)


def slow_kind(text):
    bare = text[1:] if text.startswith(" ") else text
    if text.strip() == "":
        return Kind.WHITESPACE
    for kind, classes in ((Kind.LETTERS, "LM"), (Kind.DIGITS, "N"), (Kind.PUNCTUATION, "PS")):
        if all(unicodedata.category(character)[0] in classes for character in bare):
            return kind
    return Kind.MIXED


def test_kinds_of_a_real_vocabulary_one_by_one():
    source, vocabulary = at_hand("smollm2")
    kinds = vocabulary_kinds(source, vocabulary)
    ordinary = [i for i, text in enumerate(vocabulary.text) if text and not vocabulary.is_special[i]]
    ordinary = [i for i in ordinary if not vocabulary.is_added[i]]
    assert [kinds.kind[i] for i in ordinary] == [slow_kind(vocabulary.text[i]) for i in ordinary]


@pytest.mark.parametrize(
    ("text", "risks"),
    [
        ("plain é", set()),
        ("a\n\tb", set()),
        ("\x1b[0m", {Risk.ANSI, Risk.CONTROL}),
        ("\x07bell", {Risk.CONTROL}),
        ("\u202eabc", {Risk.BIDI}),
        ("a\u200bb", {Risk.INVISIBLE}),
        ("\ue000", {Risk.PRIVATE_USE}),
        ("\U000e0fff", {Risk.UNASSIGNED}),
        (" μg", {Risk.MIXED_SCRIPTS}),
        ("pаypal", {Risk.MIXED_SCRIPTS}),
        ("мир μ", set()),
    ],
)
def test_planted_risks(text, risks):
    assert risks_of(text) == risks


@settings(deadline=None)
@given(st.text(max_size=6))
def test_risks_go_by_unicode_s_own_categories(text):
    found = risks_of(text)
    categories = {unicodedata.category(c) for c in text if not c.isspace()}
    assert (Risk.CONTROL in found) == ("Cc" in categories)
    assert (Risk.PRIVATE_USE in found) == ("Co" in categories)
    assert (Risk.UNASSIGNED in found) == ("Cn" in categories)
    assert ("Cf" in categories) == bool({Risk.INVISIBLE, Risk.BIDI} & found)


def test_gaps_between_ids():
    import dataclasses

    source, _ = at_hand("byte_level")
    assert id_gaps(source) == ()
    holed = dataclasses.replace(source, pieces=("a", None, "b", None, "c"))
    assert id_gaps(holed) == (1, 3)
