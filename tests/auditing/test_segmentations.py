from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.segmentations import (
    METHODS,
    compare_segmentations,
    fewest_tokens,
    longest_anywhere,
    longest_prefix,
    longest_suffix,
)
from forensics.errors import BadInputError
from tests.auditing.tokenizers_at_hand import at_hand
from tests.vocabulary.vocabularies import byte_level_bpe

words = st.text("abc", min_size=1, max_size=8)
vocabularies = st.frozensets(st.text("abc", min_size=2, max_size=4), max_size=8).map(
    lambda found: found | set("abc")
)


def every_way(word, pieces):
    for cuts in range(len(word)):
        for borders in combinations(range(1, len(word)), cuts):
            ends = [0, *borders, len(word)]
            parts = tuple(word[a:b] for a, b in pairwise(ends))
            if all(part in pieces for part in parts):
                yield parts


def slow_anywhere(word, pieces):
    if not word:
        return ()
    inside = {(a, b) for a in range(len(word)) for b in range(a + 1, len(word) + 1) if word[a:b] in pieces}
    a, b = min(inside, key=lambda span: (span[0] - span[1], span[0]))
    return (*slow_anywhere(word[:a], pieces), word[a:b], *slow_anywhere(word[b:], pieces))


@settings(deadline=None)
@given(words, vocabularies)
def test_every_method_against_trying_all_ways(word, pieces):
    ways = list(every_way(word, pieces))
    longest = max(map(len, pieces))
    lengths = [tuple(map(len, way)) for way in ways]
    # The greedy ways are the largest in the order of lengths, read from the side they begin at.
    assert longest_prefix(word, pieces, longest) == ways[lengths.index(max(lengths))]
    backwards = [size[::-1] for size in lengths]
    assert longest_suffix(word, pieces, longest) == ways[backwards.index(max(backwards))]
    assert longest_anywhere(word, pieces, longest) == slow_anywhere(word, pieces)
    fewest = fewest_tokens(word, pieces, longest)
    assert fewest in ways and len(fewest) == min(map(len, ways))


def test_planted_difference(tmp_path):
    # Merges make `ab`, so that `abcd` is ab+cd; the longest prefix takes `abc`.
    source = byte_level_bpe(tmp_path, [("a", "b"), ("c", "d"), ("ab", "c")])
    found = {entry.method: entry for entry in compare_segmentations(source, ["abcd", "abcd", "xy"])}
    assert found.keys() == METHODS.keys()
    assert found["longest_prefix"].differ == pytest.approx(2 / 3)
    assert found["longest_prefix"].tokens == 1
    assert found["fewest_tokens"].words == 3
    assert found["longest_suffix"].differ == 0


@pytest.mark.parametrize("name", ["bert", "unigram", "sentencepiece_bpe"])
def test_other_kinds_are_refused(name):
    with pytest.raises(BadInputError, match="byte-level BPE only"):
        compare_segmentations(at_hand(name)[0], ["a"])
