import itertools
from datetime import date

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, models, pre_tokenizers

from forensics.auditing.numbers import DATE_FORMATS, cut_dates, cut_numbers, cuts_of
from tests.auditing.tokenizers_at_hand import at_hand


def cutting(pattern):
    """A tokenizer of whole words that cuts where `pattern` matches and knows everything as unknown."""
    encoder = tokenizers.Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    encoder.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return encoder


def test_planted_cuts_are_told():
    left = cut_numbers(cutting(r"\d{1,3}"), [7])[0]
    assert (left.tokens, left.patterns, left.commonest) == (3, 1, (("3-3-1", 1.0),))
    assert (left.threes_from_left, left.threes_from_right, left.single_digits) == (1, 0, 0)
    right = cut_numbers(cutting(r"\d{1,3}(?=(\d{3})*$)"), [7])[0]
    assert (right.commonest, right.threes_from_right) == ((("1-3-3", 1.0),), 1)
    single = cut_numbers(cutting(r"\d"), [1, 7])
    assert [found.single_digits for found in single] == [1, 1]
    assert single[1].tokens == 7


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=8).map(sorted), st.integers(0, 3), st.integers(4, 12)
)
def test_cuts_are_borders_of_spans_inside(borders, start, stop):
    spans = list(itertools.pairwise(borders))
    slow = set()
    for place in range(start + 1, stop):
        for begin, end in spans:
            if begin != end and place in (begin, end):
                slow.add(place - start)
    assert cuts_of(spans, start, stop) == slow


def test_same_seed_same_numbers_and_every_kind_of_tokenizer():
    for name in ("byte_level", "sentencepiece_bpe", "unigram", "bert", "smollm2"):
        encoder = at_hand(name)[0].encoder
        found = cut_numbers(encoder, range(1, 4), numbers=50)
        assert found == cut_numbers(encoder, range(1, 4), numbers=50)
        assert all(entry.tokens >= 1 for entry in found), name
    # SmolLM2's pre-tokenizer cuts every digit off.
    assert all(entry.single_digits == 1 for entry in cut_numbers(at_hand("smollm2")[0].encoder, numbers=50))


def test_automatic_space_is_no_part_of_a_number():
    # A text of one word: SentencePiece puts a space in front of `x=7`, not before the digit.
    (found,) = cut_numbers(at_hand("sentencepiece_bpe")[0].encoder, [1], numbers=20)
    assert found.patterns == 1


def test_dates_are_written_in_nine_ways_with_their_components():
    day = date(2025, 3, 12)
    written = [spell(day) for spell in DATE_FORMATS]
    assert [text for text, _ in written] == [
        "2025-03-12",
        "2025/03/12",
        "20250312",
        "12/03/2025",
        "12.03.2025",
        "12-03-2025",
        "03/12/2025",
        "12 March 2025",
        "March 12, 2025",
    ]
    for text, places in written:
        assert sorted(text[begin:stop] for begin, stop in places) in (
            ["03", "12", "2025"],
            ["12", "2025", "March"],
        )


def test_whole_and_crossed_components():
    # Runs of digits, of letters and of anything else, a space going with what follows it.
    runs = cut_dates(cutting(r" ?\d+| ?[a-zA-Z]+|[^\da-zA-Z ]+"), dates=40)
    by_format = {found.format: found for found in runs}
    assert by_format["2025-03-12"].whole == 1 and by_format["2025-03-12"].crossed == 0
    assert by_format["12 March 2025"].whole == 1 and by_format["12 March 2025"].crossed == 0
    assert by_format["20250312"].whole == 0 and by_format["20250312"].crossed == 1
    threes = {found.format: found for found in cut_dates(cutting(r"\d{1,3}"), dates=40)}
    # 202|503|12: the first cuts the year, the second crosses it, the day stands alone (arXiv 2505.16088).
    assert threes["20250312"].whole == pytest.approx(1 / 3)
    assert threes["20250312"].crossed == pytest.approx(2 / 3)
