import random

from forensics.sticky.insertion import Mode
from forensics.sticky.published_texts import insertion_slots, modified_texts


def test_slots_are_one_stream_of_randint_over_tokens_pairs_and_copies():
    rng = random.Random(42)
    words, copies, tokens = [5, 9, 31], 8, 40
    expected = {k: [[rng.randint(0, n + i) for i in range(copies)] for n in words] for k in range(tokens)}
    assert dict(insertion_slots(tokens, words, copies, set(range(tokens)))) == expected


def test_slots_of_some_tokens_are_those_of_the_full_stream():
    full = dict(insertion_slots(50, [4, 6], 8, set(range(50))))
    some = dict(insertion_slots(50, [4, 6], 8, {3, 17, 49}))
    assert some == {k: full[k] for k in (3, 17, 49)}


def test_texts_repeat_the_string_and_insert_words_cumulatively():
    texts = modified_texts("ab", "x y", [2, 0])
    assert texts[Mode.PREFIX] == ["abx y", "ababx y"]
    assert texts[Mode.SUFFIX] == ["x yab", "x yabab"]
    assert texts[Mode.INSERTION] == ["x y ab", "ab x y ab"]
