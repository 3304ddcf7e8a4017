from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources.texts.word_files import read_morphemes, read_words

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_words_come_back_with_their_counts(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_bytes("\r\n".join(words).encode())
    assert read_words(path) == Counter(words)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=10))
def test_morphemes_come_back(tmp_path_factory, segmented):
    path = tmp_path_factory.mktemp("words") / "morphemes.tsv"
    path.write_bytes("\n\n".join(f"{''.join(parts)}\t{' '.join(parts)}" for parts in segmented).encode())
    assert read_morphemes(path) == [tuple(parts) for parts in segmented]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no word in it"), ("a\ta\nunhappy\tun hap\n", "line 2 is"), ("unhappy\n", "line 1 is")],
)
def test_other_lines_are_refused_with_their_number(tmp_path, text, said):
    path = tmp_path / "morphemes.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInputError, match=said):
        read_morphemes(path)
