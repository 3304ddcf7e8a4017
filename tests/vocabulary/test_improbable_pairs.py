"""Improbable pairs against comparing every prefix with every suffix."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.vocabulary.improbable_pairs import improbable_pairs, leading_rest, unfinished
from forensics.vocabulary.spelling import token_bytes
from tests.vocabulary.vocabularies import byte_level_bpe


def spelt(data):
    return "".join(CHARACTER_OF_BYTE[byte] for byte in data)


def is_text(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def compatible_slowly(vocabulary):
    """All pairs of unfinished and beginning-with-a-rest tokens whose bytes together are text."""
    tokens = [(i, b) for i, b in enumerate(vocabulary) if b and len(b) >= 2 and not is_text(b)]
    return {
        (i, j)
        for (i, a), (j, b) in itertools.product(tokens, repeat=2)
        if is_text(a + b)
        and any(is_text(a[:-k]) for k in (1, 2, 3))
        and any(is_text(b[k:]) for k in (1, 2, 3))
    }


@pytest.fixture
def source(tmp_path):
    """Merges that make unfinished and continuing tokens of two scripts."""
    zh, ru = "中".encode(), "Я".encode()
    merges = [
        (spelt(zh[:1]), spelt(zh[1:2])),  # the first two bytes of three
        ("x", spelt(ru[:1])),  # text and a lead byte
        (spelt(zh[2:]), "y"),  # the last byte and text
        (spelt(ru[1:]), "z"),
    ]
    return byte_level_bpe(tmp_path, merges)


def test_pairs_are_those_that_come_back(source):
    found = improbable_pairs(token_bytes(source), source.encoder, np.random.default_rng(0))
    data = token_bytes(source)
    expected = set()
    for i, j in compatible_slowly(data):
        text = (data[i] + data[j]).decode()
        if source.encoder.encode(text, add_special_tokens=False).ids == [i, j]:
            expected.add((i, j))
    assert {(p.prefix, p.suffix) for p in found.survived} == expected
    assert found.compatible == len(compatible_slowly(data)) == found.tried
    assert found.is_exact
    assert found.estimate == len(expected) > 0
    assert all(p.text == (data[p.prefix] + data[p.suffix]).decode() for p in found.survived)


def test_a_sample_stands_for_the_others(source):
    whole = improbable_pairs(token_bytes(source), source.encoder, np.random.default_rng(0))
    part = improbable_pairs(token_bytes(source), source.encoder, np.random.default_rng(0), most=2)
    assert part.tried == 2 < whole.tried == part.compatible
    assert not part.is_exact
    assert part.estimate == round(part.compatible * len(part.survived) / 2)


def test_a_vocabulary_of_whole_characters_has_none(tmp_path):
    source = byte_level_bpe(tmp_path, [("a", "b"), ("ab", "c")])
    found = improbable_pairs(token_bytes(source), source.encoder, np.random.default_rng(0))
    assert (found.compatible, found.estimate, found.mixed_scripts) == (0, 0, None)
    assert found.as_dict()["examples"] == []


@given(st.text(min_size=1, max_size=4), st.data())
def test_the_two_halves_of_any_text_cut_inside_a_character_fit(text, data):
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        return
    cut = data.draw(st.integers(1, len(raw)))
    left, right = raw[:cut], raw[cut:]
    if is_text(left):
        assert unfinished(left) is None
        return
    missing, (low, high) = unfinished(left)
    assert leading_rest(right) == missing
    assert low <= right[0] <= high


@given(st.binary(min_size=1, max_size=5), st.binary(min_size=1, max_size=5))
def test_needs_and_rests_fit_exactly_where_the_bytes_are_text(left, right):
    need, rest = unfinished(left), leading_rest(right)
    if need is None or rest is None:
        return
    missing, (low, high) = need
    assert is_text(left + right) == (missing == rest and low <= right[0] <= high)
