"""Text into pre-tokens: the fast way of cutting says what the plain one says."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from forensics.mixture.pretokens import count_pretokens
from forensics.sources.tokenizer_files.pretokenizers import LLAMA_CPP_NAMES
from forensics.vocabulary.splitting import Splitter

TEXT = st.lists(
    st.sampled_from(
        [
            "a",
            "B",
            "we're",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\t",
            "1",
            "234",
            "};",
            "(",
            "\u00e9",
            "\u4e2d\u6587",
            "\u3000",
            "\u2581",
            "\r\n",
            "'",
            "-",
        ]
    ),
    max_size=30,
).map("".join)


def splitter(name: str, by_line: bool) -> Splitter:
    rule = LLAMA_CPP_NAMES[name]
    return Splitter(rule.make_normalizer(), rule.make(), by_line, True, name, name, True)


def plainly(text: str, how: Splitter) -> Counter[str]:
    return Counter(word for unit in how.units(text) for word in how.split(unit))


@pytest.mark.parametrize("by_line", [True, False])
@pytest.mark.parametrize("name", ["gpt-2", "llama-bpe", "qwen2", "gpt-4o", "smollm"])
@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_chunks_are_cut_as_the_whole_text_is(name: str, by_line: bool, text: str) -> None:
    how = splitter(name, by_line)
    chunks = Counter(word for chunk in how.chunks(text) for word in how.split_chunk(chunk))
    assert chunks == plainly(text, how)
    assert "".join(how.chunks(text)) == text


def test_counts_are_those_of_the_plain_way() -> None:
    how = splitter("gpt-2", True)
    text = "The cat sat.\nThe  cat\n\n\tsat down\n" * 50
    counted = count_pretokens("x", [text[: len(text) // 2], text[len(text) // 2 :]], how)
    assert counted.in_chunks
    assert counted.words == plainly(text[: len(text) // 2], how) + plainly(text[len(text) // 2 :], how)
    assert counted.nbytes == len(text)
    assert counted.occurrences == sum(counted.words.values())


def test_a_rule_that_needs_the_whole_text_is_noticed() -> None:
    # A space is put before every text: cutting into chunks would put one before every chunk.
    how = Splitter(None, pre_tokenizers.ByteLevel(add_prefix_space=True), True, True, "", "", True)
    text = "one\ttwo three\nfour\n" * 10
    counted = count_pretokens("x", [text], how)
    assert counted.words == plainly(text, how)


def test_a_normalizer_that_looks_at_the_whole_text_is_given_it() -> None:
    normalizer = normalizers.Sequence([normalizers.Replace(" ", "\u2581"), normalizers.Prepend("\u2581")])
    how = Splitter(normalizer, pre_tokenizers.Split("\u2581", "merged_with_next"), True, False, "", "", False)
    counted = count_pretokens("x", ["one two\nthree\n"], how)
    assert counted.words == {"\u2581one": 1, "\u2581two": 1, "\u2581three": 1}


def test_rare_pretokens_are_dropped_above_the_bound_and_counted() -> None:
    how = splitter("gpt-2", True)
    pieces = [" common" * 20, *(f" w{'abcdefghij'[n % 10] * (n // 10 + 1)}" for n in range(100))]
    counted = count_pretokens("x", pieces, how, most_distinct=20)
    assert counted.dropped > 0
    assert counted.words["\u0120common"] == 20
