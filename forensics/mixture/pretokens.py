"""Text into counts of distinct pre-tokens, streamed.

The tokenizer's own normalizer and pre-tokenizer cut the text, in the `tokenizers` library. Cutting every
occurrence of every word anew is what makes that slow, so a text is first cut coarsely, before spaces that
follow something visible, and the library is given each distinct chunk once. That is right for a rule that
always cuts there itself and looks no further; whether this one does is tried on the first text of every
category, and a rule that fails the trial gets the whole text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from forensics.vocabulary.splitting import Splitter

__all__ = ["PretokenCounts", "count_pretokens"]

#: Characters of every category on which the two ways of cutting are compared.
TRIAL_CHARACTERS = 40_000
#: Distinct pre-tokens kept of a category before the rarest are dropped; some 100 bytes of memory each.
MOST_DISTINCT = 5_000_000


@dataclass(frozen=True, eq=False)
class PretokenCounts:
    """How often every distinct pre-token occurs in the text of one category."""

    #: The category.
    name: str
    #: Pre-token, in the alphabet of the vocabulary -> how often it occurs.
    words: Mapping[str, int]
    #: Bytes of the text as UTF-8, before normalization.
    nbytes: int
    #: Occurrences of rare pre-tokens that were dropped to bound the memory.
    dropped: int = 0
    #: Whether the fast way of cutting agreed with the plain one in the trial.
    in_chunks: bool = True

    @property
    def occurrences(self) -> int:
        """How many pre-tokens the text has, distinct or not, those dropped left out."""
        return sum(self.words.values())


@dataclass
class _Tally:
    """Counts under construction, kept below a bound."""

    most: int
    counts: Counter[str] = field(default_factory=Counter)
    dropped: int = 0

    def add(self, items: Iterable[str] | Mapping[str, int]) -> None:
        self.counts.update(items)
        threshold = 1
        while len(self.counts) > self.most:
            rare = [word for word, count in self.counts.items() if count <= threshold]
            self.dropped += sum(self.counts.pop(word) for word in rare)
            threshold *= 2


def count_pretokens(
    name: str, texts: Iterable[str], splitter: Splitter, *, most_distinct: int = MOST_DISTINCT
) -> PretokenCounts:
    """Return the counts of distinct pre-tokens of a category; only those are held in memory.

    :param name: The category.
    :param texts: Its text in pieces of any size, each the beginning of a new line or document.
    :param splitter: How text is cut.
    :param most_distinct: Distinct entries above which the rarest are dropped.
    """
    stream = iter(texts)
    trial, characters = [], 0
    for text in stream:
        trial.append(text)
        characters += len(text)
        if characters >= TRIAL_CHARACTERS:
            break
    sample = "".join(trial)[:TRIAL_CHARACTERS]
    in_chunks = _counted_in_chunks(sample, splitter) == _counted_plainly(sample, splitter)
    tally, nbytes = _Tally(most_distinct), 0
    for text in _again(trial, stream):
        nbytes += len(text.encode("utf-8", "surrogatepass"))
        if in_chunks:
            tally.add(splitter.chunks(text))
        else:
            for unit in splitter.units(text):
                tally.add(splitter.split(unit))
    words = tally.counts
    if in_chunks:
        words = _split_chunks(words, splitter)
    # Sorted, so that the same text gives the same order whatever came first.
    return PretokenCounts(name, dict(sorted(words.items())), nbytes, tally.dropped, in_chunks)


def _again(first: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from rest


def _split_chunks(chunks: Mapping[str, int], splitter: Splitter) -> Counter[str]:
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        for word in splitter.split_chunk(chunk):
            words[word] += count
    return words


def _counted_in_chunks(text: str, splitter: Splitter) -> Counter[str]:
    return _split_chunks(Counter(splitter.chunks(text)), splitter)


def _counted_plainly(text: str, splitter: Splitter) -> Counter[str]:
    words: Counter[str] = Counter()
    for unit in splitter.units(text):
        words.update(splitter.split(unit))
    return words
