import unicodedata

import pytest
from hypothesis import assume, given, settings

from forensics.sources.tokenizer_files.pretokenizers import LLAMA_CPP_NAMES, QWEN2_NFC
from tests.extras import need
from tests.sources.written_tokenizers import texts

regex = need("regex")

#: What each name does to one line, worked out by hand from the rule in words.
LINE = "I'll pay 12345 €!!\n\n  ok"
EXPECTED = {
    "gpt-2": ["I", "'ll", " pay", " 12345", " €!!", "\n\n ", " ok"],
    "smollm": ["I", "'ll", " pay", " ", "1", "2", "3", "4", "5", " €!!", "\n\n ", " ok"],
    "llama-bpe": ["I", "'ll", " pay", " ", "123", "45", " €!!\n\n", " ", " ok"],
    "qwen2": ["I", "'ll", " pay", " ", "1", "2", "3", "4", "5", " €!!\n\n", " ", " ok"],
    "gpt-4o": ["I'll", " pay", " ", "123", "45", " €!!\n\n", " ", " ok"],
    "tekken": ["I", "'ll", " pay", " ", "1", "2", "3", "4", "5", " €!!\n\n", " ", " ok"],
    "falcon": ["I", "'", "ll", " pay", " ", "123", "45", " €", "!!", "\n\n ", " ok"],
}


def pre_tokens(name, text):
    return [text[start:stop] for _, (start, stop) in LLAMA_CPP_NAMES[name].make().pre_tokenize_str(text)]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_line_is_split_as_the_rule_says(name):
    assert pre_tokens(name, LINE) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(LLAMA_CPP_NAMES))
@settings(max_examples=15, deadline=None)
@given(texts)
def test_nothing_is_lost_by_splitting(name, text):
    pieces = LLAMA_CPP_NAMES[name].make().pre_tokenize_str(text)
    alphabet_of_bytes = sum(len(piece) for piece, _ in pieces)
    assert alphabet_of_bytes == len(text.encode())


@pytest.mark.parametrize("name", ["llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken", "seed-coder"])
@settings(max_examples=40, deadline=None)
@given(texts)
def test_one_pattern_splits_as_the_regex_package_does(name, text):
    """The library's regular-expression engine against another one."""
    # The two packages follow different versions of Unicode.
    assume(all(unicodedata.category(character) != "Cn" for character in text))
    (_, pattern), _ = LLAMA_CPP_NAMES[name].steps
    spans = [match.span() for match in regex.finditer(pattern, text) if match.group()]
    assert pre_tokens(name, text) == [text[start:stop] for start, stop in spans]


def test_qwen_itself_normalises_and_llama_cpp_does_not():
    assert QWEN2_NFC.make_normalizer().normalize_str("e\u0301") == "é"
    assert LLAMA_CPP_NAMES["qwen2"].make_normalizer() is None
    assert "NFC" in LLAMA_CPP_NAMES["qwen2"].remark
