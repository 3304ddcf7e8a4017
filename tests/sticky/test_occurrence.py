from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from forensics.sticky.occurrence import count_tokens

WORDS = {"[UNK]": 0, "a": 1, "b": 2, "ab": 3, "##b": 4, "##a": 5}


def tokenizer():
    built = Tokenizer(models.WordPiece(WORDS, unk_token="[UNK]"))
    built.pre_tokenizer = pre_tokenizers.Whitespace()
    return built


@given(st.lists(st.text("ab \n", max_size=30), max_size=5))
def test_counts_are_those_of_encoding_all_text_at_once(pieces):
    pieces = [f"{piece}\n" for piece in pieces]
    expected = Counter(tokenizer().encode("".join(pieces)).ids)
    found = count_tokens(tokenizer(), iter(pieces), 8)
    assert found.tolist() == [expected[i] for i in range(8)]


def test_long_lines_are_not_cut():
    assert count_tokens(tokenizer(), ["a " * 10_000], 6)[1] == 10_000
