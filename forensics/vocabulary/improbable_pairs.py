"""Pairs of tokens that share one character: the improbable bigrams of a byte-level vocabulary.

After "Improbable Bigrams Expose Vulnerabilities of Incomplete Tokens in Byte-Level Tokenizers" (arXiv
2410.23684). A *prefix* token ends in an unfinished UTF-8 character that lacks m bytes, a *suffix* token
begins with exactly m continuation bytes. Together they are valid text whose middle character no single token
spells. A pair counts if encoding its text gives the two tokens back, so that a user's text can produce it.

Byte-compatible pairs are counted without comparing them, by what the prefix needs: how many bytes, and which
of them may come next (after E0, ED, F0 and F4 not every continuation byte may, RFC 3629). How many survive
encoding is tried on all of them, or on a random sample of `most`.

Left out here: whether both rows are well trained, and whether the model can say the pair, see
`forensics.undertrained.bigrams`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.scripts import MIXED, script_of_text

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ImprobablePair", "ImprobablePairs", "improbable_pairs"]

#: Pairs tried at most.
MOST = 100_000
#: Bytes a token must have: single bytes are no learned tokens.
_LEAST_BYTES = 2
#: Lead bytes after which the next byte is restricted, with its range (RFC 3629, section 4).
_RESTRICTED = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
_CONTINUATION = (0x80, 0xBF)
_BATCH = 4096

#: What a prefix needs: how many bytes, and the range of the first of them.
_Need = tuple[int, tuple[int, int]]


@dataclass(frozen=True)
class ImprobablePair:
    """Two tokens that share one character."""

    prefix: int
    suffix: int
    #: What they spell together.
    text: str


@dataclass(frozen=True)
class ImprobablePairs:
    """How many such pairs a vocabulary has."""

    #: Tokens that end in an unfinished character, and tokens that begin with the rest of one.
    prefixes: int
    suffixes: int
    #: Pairs whose bytes fit together; exact.
    compatible: int
    #: How many of them were encoded, and those that came back as the same two tokens.
    tried: int
    survived: tuple[ImprobablePair, ...]

    @property
    def estimate(self) -> int:
        """How many pairs survive encoding: exact where all were tried."""
        return round(self.compatible * len(self.survived) / self.tried) if self.tried else 0

    @property
    def is_exact(self) -> bool:
        """Whether all compatible pairs were tried."""
        return self.tried == self.compatible

    @property
    def mixed_scripts(self) -> float | None:
        """Share of the surviving pairs whose letters belong to several scripts; None without pairs."""
        if not self.survived:
            return None
        return sum(script_of_text(pair.text) == MIXED for pair in self.survived) / len(self.survived)

    def as_dict(self) -> dict[str, int | float | bool | list[str] | None]:
        """Return plain data for a summary."""
        return {
            "prefixes": self.prefixes,
            "suffixes": self.suffixes,
            "compatible": self.compatible,
            "tried": self.tried,
            "survived": len(self.survived),
            "estimate": self.estimate,
            "exact": self.is_exact,
            "mixed_scripts": self.mixed_scripts,
            "examples": [pair.text for pair in self.survived[:5]],
        }


def improbable_pairs(
    token_bytes: Sequence[bytes | None],
    encoder: tokenizers.Tokenizer,
    rng: np.random.Generator,
    *,
    most: int = MOST,
) -> ImprobablePairs:
    """Return how many improbable pairs a vocabulary has, with those that were found.

    :param token_bytes: The exact bytes of every token, None for ids without.
    :param encoder: The working tokenizer; an automatic space in front of texts is left out.
    :param rng: Draws the pairs that are tried, where there are more than `most`.
    :param most: Pairs tried at most.
    """
    prefixes: dict[_Need, list[int]] = defaultdict(list)
    suffixes: dict[int, list[tuple[int, int]]] = defaultdict(list)  # length -> (first byte, token)
    for token, data in enumerate(token_bytes):
        if data is None or len(data) < _LEAST_BYTES:
            continue
        if (need := unfinished(data)) is not None:
            prefixes[need].append(token)
        if (length := leading_rest(data)) is not None:
            suffixes[length].append((data[0], token))
    groups = [
        (tokens, [token for first, token in suffixes[missing] if low <= first <= high])
        for (missing, (low, high)), tokens in sorted(prefixes.items())
    ]
    sizes = np.array([len(a) * len(b) for a, b in groups], dtype=np.int64)
    compatible = int(sizes.sum())
    tried = min(compatible, most)
    numbers = (
        np.arange(compatible)
        if tried == compatible
        else np.sort(rng.choice(compatible, size=tried, replace=False))
    )
    # A pair's number counts through the groups, and row by row through each.
    ends = np.cumsum(sizes)
    pairs = []
    for number in numbers.tolist():
        group = int(np.searchsorted(ends, number, side="right"))
        left, right = groups[group]
        place = number - int(ends[group] - sizes[group])
        pairs.append((left[place // len(right)], right[place % len(right)]))
    return ImprobablePairs(
        prefixes=sum(map(len, prefixes.values())),
        suffixes=sum(map(len, suffixes.values())),
        compatible=compatible,
        tried=tried,
        survived=_surviving(pairs, token_bytes, encoder),
    )


def unfinished(data: bytes) -> _Need | None:
    r"""Return what the last character of `data` lacks, None unless all before it is whole.

    >>> unfinished(b"a\xe4\xb8"), unfinished(b"a\xe0"), unfinished(b"abc")
    ((1, (128, 191)), (2, (160, 191)), None)
    """
    for length in (1, 2, 3):
        if len(data) < length:
            return None
        lead = data[-length]
        announced = _announced(lead)
        if announced is None:
            if not _CONTINUATION[0] <= lead <= _CONTINUATION[1]:
                return None
            continue
        missing = announced - length
        low, high = _RESTRICTED.get(lead, _CONTINUATION)
        if missing < 1 or (length > 1 and not low <= data[-length + 1] <= high):
            return None
        if not _is_text(data[:-length]):
            return None
        return missing, (low, high) if length == 1 else _CONTINUATION
    return None


def leading_rest(data: bytes) -> int | None:
    r"""Return with how many continuation bytes `data` begins, None for none or unless the rest is whole.

    >>> leading_rest(b"\xb8\xadx"), leading_rest(b"x")
    (2, None)
    """
    length = 0
    while length < len(data) and _CONTINUATION[0] <= data[length] <= _CONTINUATION[1]:
        length += 1
    return length if 1 <= length <= 3 and _is_text(data[length:]) else None


def _announced(lead: int) -> int | None:
    """Return how many bytes a character has that begins with `lead`, None if none does."""
    if 0xC2 <= lead <= 0xDF:
        return 2
    if 0xE0 <= lead <= 0xEF:
        return 3
    return 4 if 0xF0 <= lead <= 0xF4 else None


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _surviving(
    pairs: Sequence[tuple[int, int]], token_bytes: Sequence[bytes | None], encoder: tokenizers.Tokenizer
) -> tuple[ImprobablePair, ...]:
    """Return the pairs whose text encodes to just them."""
    bare = without_automatic_prefix(encoder)
    survived = []
    for start in range(0, len(pairs), _BATCH):
        part = pairs[start : start + _BATCH]
        texts = [((token_bytes[a] or b"") + (token_bytes[b] or b"")).decode("utf-8") for a, b in part]
        encodings = bare.encode_batch_fast(texts, add_special_tokens=False)
        survived += [
            ImprobablePair(a, b, text)
            for (a, b), text, encoding in zip(part, texts, encodings, strict=True)
            if encoding.ids == [a, b]
        ]
    return tuple(survived)
