import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.encoded_text import encode_lines
from forensics.auditing.words import WordVariant, tokens_of_words, word_quality, words_in_context, words_of
from forensics.sources.texts.parallel_text import read_parallel_text
from tests.auditing.tokenizers_at_hand import at_hand
from tests.sources.written_tokenizers import texts, words


def test_words_are_runs_without_whitespace():
    found = words_of(["the cat", " the\u3000cat\tsat", "", "cat"])
    assert found == {"cat": 3, "sat": 1, "the": 2}


def slow_quality(source, lines):
    """One word at a time, by the text of the tokens."""
    counts = []
    for line in lines:
        for word in line.split():
            shown = f" {word}"
            encoding = source.encoder.encode(shown, add_special_tokens=False)
            counts.append(sum(stop > len(shown) - len(word) for _, stop in encoding.offsets))
    return sum(counts) / len(counts), sum(n > 1 for n in counts) / len(counts), counts.count(1) / len(counts)


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=4).filter(lambda lines: any(line.split() for line in lines)))
def test_figures_of_a_byte_level_tokenizer(lines):
    source, vocabulary = at_hand("byte_level")
    found = word_quality(source.encoder, vocabulary, words_of(lines))
    assert (found.fertility, found.continued, found.single_token) == pytest.approx(
        slow_quality(source, lines)
    )
    assert found.variant is WordVariant.LEADING_SPACE


@pytest.mark.parametrize("name", ["sentencepiece_bpe", "unigram"])
def test_automatic_space_is_not_doubled_and_not_counted(name):
    source, vocabulary = at_hand(name)
    given_words = ["human", "rights", "\u4e2d", "être"]
    counts = tokens_of_words(source.encoder, vocabulary, given_words, spaced=True).tolist()
    for word, count in zip(given_words, counts, strict=True):
        pieces = source.encoder.encode(word, add_special_tokens=False).tokens
        assert count == len(pieces) - (pieces[0] == "\u2581")


@settings(deadline=None, max_examples=40)
@given(st.lists(words, min_size=1, max_size=6))
def test_words_in_context_are_covered_by_tokens(parts):
    source, _ = at_hand("byte_level")
    line = " ".join(parts)
    encoded = encode_lines(source.encoder, [line])
    spans = source.encoder.encode(line).offsets
    at, counts = 0, []
    for word in parts:
        counts.append(sum(begin < at + len(word) and stop > at for begin, stop in spans))
        at += len(word) + 1
    found = words_in_context(encoded)
    assert found.fertility == pytest.approx(sum(counts) / len(counts))
    assert found.single_token == pytest.approx(counts.count(1) / len(counts))


def test_bare_words_cost_more_where_spaces_are_part_of_tokens():
    source, vocabulary = at_hand("smollm2")
    words_found = words_of(read_parallel_text(languages=["eng_Latn"], max_lines=60).lines["eng_Latn"])
    spaced = word_quality(source.encoder, vocabulary, words_found)
    bare = word_quality(source.encoder, vocabulary, words_found, WordVariant.BARE)
    assert spaced.words == bare.words
    assert spaced.fertility < bare.fertility
    assert spaced.variant != bare.variant


def test_no_words_no_figure():
    source, vocabulary = at_hand("byte_level")
    assert word_quality(source.encoder, vocabulary, words_of(["", "  "])) is None
