"""How numbers and dates are cut.

Random numbers of every length stand behind the guard `x=`: at the start of a text SentencePiece puts a
space of its own, whose token is no part of the number. Cuts are read from the distinct spans of the tokens.
Groups of three from the left or from the right decide how digits line up in arithmetic (Singh and Strouse
2024, arXiv 2402.14903).

Left out: the fragmentation score of Date Fragments (arXiv 2505.16088). Its reference code joins tokens with
spaces before it looks for separators, so that test is always true; whole and crossed components say it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forensics.schema.audit_summary import DateCuts, NumberCuts

if TYPE_CHECKING:
    import tokenizers

__all__ = ["DATE_FORMATS", "cut_dates", "cut_numbers", "cuts_of"]

GUARD = "x="
#: Most frequent patterns kept of each length.
PATTERNS = 5
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
Component = tuple[int, int]


def cut_numbers(
    encoder: tokenizers.Tokenizer, lengths: Sequence[int] = range(1, 11), numbers: int = 1000, seed: int = 0
) -> tuple[NumberCuts, ...]:
    """Return how random numbers of every length are cut.

    :param encoder: The working tokenizer.
    :param lengths: Digits per number.
    :param numbers: Numbers drawn for each length, with replacement, without a leading zero.
    :param seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    found = []
    for digits in lengths:
        drawn = random.integers(10 ** (digits - 1), 10**digits, numbers).tolist()
        texts = [str(number) for number in drawn]
        cuts, tokens = _cut(encoder, texts)
        patterns = Counter(_pattern(inner, digits) for inner in cuts)
        common = sorted(patterns.items(), key=lambda item: (-item[1], item[0]))[:PATTERNS]
        left, right = frozenset(range(3, digits, 3)), frozenset(range(digits - 3, 0, -3))
        found.append(
            NumberCuts(
                digits=digits,
                numbers=numbers,
                tokens=sum(tokens) / numbers,
                patterns=len(patterns),
                commonest=tuple((pattern, count / numbers) for pattern, count in common),
                threes_from_left=sum(inner == left for inner in cuts) / numbers,
                threes_from_right=sum(inner == right for inner in cuts) / numbers,
                single_digits=sum(len(inner) == digits - 1 for inner in cuts) / numbers,
            )
        )
    return tuple(found)


def cuts_of(spans: Sequence[tuple[int, int]], start: int, stop: int) -> frozenset[int]:
    """Return where distinct tokens meet inside `start .. stop`, counted from `start`.

    >>> sorted(cuts_of([(0, 2), (2, 5), (5, 5), (5, 6)], 2, 6))
    [3]
    """
    borders = {place for span in spans if span[0] < span[1] for place in span}
    return frozenset(place - start for place in borders if start < place < stop)


def _cut(encoder: tokenizers.Tokenizer, texts: Sequence[str]) -> tuple[list[frozenset[int]], list[int]]:
    """Return the inner borders and the number of tokens of every text behind the guard."""
    first = len(GUARD)
    cuts, tokens = [], []
    encodings = encoder.encode_batch([GUARD + text for text in texts], add_special_tokens=False)
    for text, encoding in zip(texts, encodings, strict=True):
        spans = encoding.offsets
        cuts.append(cuts_of(spans, first, first + len(text)))
        tokens.append(sum(stop > first for _, stop in spans))
    return cuts, tokens


def _pattern(inner: frozenset[int], digits: int) -> str:
    borders = [0, *sorted(inner), digits]
    return "-".join(str(after - before) for before, after in itertools.pairwise(borders))


def _joined(*parts: tuple[str, bool]) -> tuple[str, list[Component]]:
    """Return the text of some parts and the places of those that are components."""
    text, places = "", []
    for part, is_component in parts:
        if is_component:
            places.append((len(text), len(text) + len(part)))
        text += part
    return text, places


def _numeric(order: str, separator: str) -> Callable[[date], tuple[str, list[Component]]]:
    def spell(day: date) -> tuple[str, list[Component]]:
        values = {"Y": f"{day.year:04}", "M": f"{day.month:02}", "D": f"{day.day:02}"}
        parts = [(values[order[0]], True)]
        for name in order[1:]:
            parts += [(separator, False), (values[name], True)]
        return _joined(*parts)

    return spell


def _day_first(day: date) -> tuple[str, list[Component]]:
    month = MONTHS[day.month - 1]
    return _joined((str(day.day), True), (" ", False), (month, True), (" ", False), (str(day.year), True))


def _month_first(day: date) -> tuple[str, list[Component]]:
    month = MONTHS[day.month - 1]
    return _joined((month, True), (" ", False), (str(day.day), True), (", ", False), (str(day.year), True))


#: How dates are written: (text, places of year, month and day) of a day.
DATE_FORMATS: tuple[Callable[[date], tuple[str, list[Component]]], ...] = (
    _numeric("YMD", "-"),
    _numeric("YMD", "/"),
    _numeric("YMD", ""),
    _numeric("DMY", "/"),
    _numeric("DMY", "."),
    _numeric("DMY", "-"),
    _numeric("MDY", "/"),
    _day_first,
    _month_first,
)
_EXAMPLE = date(2025, 3, 12)
_FIRST_DAY = date(1900, 1, 1)
#: 1900 to 2049.
_DAYS = 54_786


def cut_dates(encoder: tokenizers.Tokenizer, dates: int = 800, seed: int = 0) -> tuple[DateCuts, ...]:
    """Return how random dates from 1900 to 2049 are cut, one entry for each of nine formats.

    :param encoder: The working tokenizer.
    :param dates: Dates drawn, the same for all formats.
    :param seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    days = [_FIRST_DAY + timedelta(days=int(n)) for n in random.integers(0, _DAYS, dates)]
    return tuple(_cut_format(encoder, spell, days) for spell in DATE_FORMATS)


def _cut_format(
    encoder: tokenizers.Tokenizer,
    spell: Callable[[date], tuple[str, list[Component]]],
    days: Sequence[date],
) -> DateCuts:
    first = len(GUARD)
    written = [spell(day) for day in days]
    encodings = encoder.encode_batch([GUARD + text for text, _ in written], add_special_tokens=False)
    whole = crossed = components = tokens = 0
    for (text, places), encoding in zip(written, encodings, strict=True):
        spans = set(encoding.offsets)
        tokens += sum(stop > first for _, stop in encoding.offsets)
        for begin, stop in places:
            components += 1
            start, end = begin + first, stop + first
            spaced = start - 1 if begin and text[begin - 1] == " " else start
            whole += (start, end) in spans or (spaced, end) in spans
            crossed += any(
                left < end and right > start and (right > end or left < spaced) for left, right in spans
            )
    return DateCuts(
        spell(_EXAMPLE)[0], len(days), tokens / len(days), whole / components, crossed / components
    )
