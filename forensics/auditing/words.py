"""Fertility, continued words and single-token words, by the variant that each figure names.

A word is a maximal run of characters that are no whitespace. Scripts that put no spaces between words have
no such figure: TokEval's changelog counts 96 % of Japanese lines as one "word". Published figures differ by
how the word is shown to the tokenizer (GPT-2 English fertility: 1.23 in context or with a space in front,
1.48 bare), so the variant is part of each figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.auditing.encoded_text import EncodedText, sequence_lengths
from forensics.schema.audit_summary import WordQuality
from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import tokenizers

__all__ = [
    "UNSPACED_SCRIPTS",
    "WordVariant",
    "tokens_of_words",
    "word_quality",
    "words_in_context",
    "words_of",
]

Int64Array = npt.NDArray[np.int64]

#: Scripts written without spaces between words.
UNSPACED_SCRIPTS = frozenset({"Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"})
_BATCH = 8192


class WordVariant(StrEnum):
    """How a word is shown to the tokenizer."""

    #: With one space in front, wherever it stands; a token that is the space alone is left out.
    LEADING_SPACE = "leading_space/whitespace_words"
    #: By itself.
    BARE = "bare/whitespace_words"
    #: Within its line, by the tokens that cover one of its characters.
    IN_CONTEXT = "in_context/whitespace_words"


def words_of(lines: Iterable[str]) -> dict[str, int]:
    r"""Return the distinct words of `lines`, sorted, and how often each occurs.

    >>> words_of(["the cat", "the\tend"])
    {'cat': 1, 'end': 1, 'the': 2}
    """
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line.split())
    return dict(sorted(counts.items()))


def word_quality(
    encoder: tokenizers.Tokenizer,
    vocabulary: Vocabulary,
    words: Mapping[str, int],
    variant: WordVariant = WordVariant.LEADING_SPACE,
) -> WordQuality | None:
    """Return fertility, continued and single-token words, by occurrence; None for no words.

    :param encoder: The working tokenizer.
    :param vocabulary: Its vocabulary.
    :param words: Word -> how often it occurs.
    :param variant: `LEADING_SPACE` or `BARE`; for words in context see `words_in_context`.
    """
    tokens = tokens_of_words(encoder, vocabulary, list(words), variant is WordVariant.LEADING_SPACE)
    counts = np.array(list(words.values()), dtype=np.int64)
    return _quality(tokens, counts, variant, float(tokens.mean()) if len(tokens) else None)


def words_in_context(encoded: EncodedText) -> WordQuality | None:
    """Return the same figures with every word in its line, by the tokens that cover its characters."""
    tokens: list[int] = []
    for number, line in enumerate(encoded.lines):
        first, last = encoded.starts[number], encoded.starts[number + 1]
        begin, stop = encoded.spans[first:last].T
        # Offsets ascend, so what covers a word are neighbours.
        borders = _word_borders(line)
        reached = np.searchsorted(stop, borders[:, 0], side="right")
        passed = np.searchsorted(begin, borders[:, 1], side="left")
        tokens += np.maximum(passed - reached, 0).tolist()
    counts = np.array(tokens, dtype=np.int64)
    return _quality(counts, np.ones_like(counts), WordVariant.IN_CONTEXT, None)


def tokens_of_words(
    encoder: tokenizers.Tokenizer, vocabulary: Vocabulary, words: Sequence[str], spaced: bool
) -> Int64Array:
    """Return the tokens of every word, shape (len(words),).

    A tokenizer that puts a space in front of every text by itself is given the bare word in either case:
    with a space of ours it would see two, and some drop ours before adding their own.

    :param encoder: The working tokenizer.
    :param vocabulary: Its vocabulary.
    :param words: Words without whitespace.
    :param spaced: Whether a space stands in front; a first token that is that space alone is left out.
    """
    automatic = without_automatic_prefix(encoder) is not encoder
    if not spaced and not automatic:
        return sequence_lengths(encoder, words)
    shown = list(words) if automatic else [f" {word}" for word in words]
    lengths: list[int] = []
    for start in range(0, len(shown), _BATCH):
        for encoding in encoder.encode_batch_fast(shown[start : start + _BATCH], add_special_tokens=False):
            ids = encoding.ids
            lengths.append(len(ids) - (bool(ids) and vocabulary.bytes[ids[0]] == b" "))
    return np.array(lengths, dtype=np.int64)


def _word_borders(line: str) -> Int64Array:
    """Return begin and end of every word of a line, shape (w, 2)."""
    is_word = np.array([False, *(not character.isspace() for character in line), False])
    changes = np.flatnonzero(is_word[1:] != is_word[:-1])
    return changes.reshape(-1, 2)


def _quality(
    tokens: Int64Array, counts: Int64Array, variant: WordVariant, of_types: float | None
) -> WordQuality | None:
    total = int(counts.sum())
    if not total:
        return None
    return WordQuality(
        words=total,
        fertility=float((tokens * counts).sum() / total),
        continued=float(counts[tokens >= 2].sum() / total),
        single_token=float(counts[tokens == 1].sum() / total),
        fertility_of_types=of_types,
        variant=variant,
    )
