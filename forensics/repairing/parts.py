"""A token's parts: the fewest other tokens that spell its bytes, and of those the ones with the longest part.

`ManagementPlaneProtection` is `Management`, `Plane`, `Protection`, or two entries if the vocabulary has
`PlaneProtection`; but never an entry that is as untrained as the token itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["longest_parts", "spellings"]


def spellings(bytes_of: Sequence[bytes | None], trained: Iterable[int]) -> dict[bytes, int]:
    """Return what can be a part: bytes -> the first trained token that stands for them.

    :param bytes_of: Bytes of every token.
    :param trained: Well-trained tokens.
    """
    found: dict[bytes, int] = {}
    for token in trained:
        spelt = bytes_of[token] if token < len(bytes_of) else None
        if spelt:
            found.setdefault(spelt, token)
    return found


def longest_parts(spelt: bytes, known: Mapping[bytes, int]) -> tuple[int, ...]:
    """Return the tokens into which `spelt` is split; empty where no split into others exists.

    >>> longest_parts(b"unhappy", {b"un": 1, b"happy": 2, b"u": 3, b"nhappy": 4, b"h": 5})
    (3, 4)

    :param spelt: Bytes of the token.
    :param known: See `spellings`.
    """
    longest = max(map(len, known), default=0)
    #: Per end: fewest parts, minus the longest part's length, and where the last part begins.
    best: list[tuple[int, int, int] | None] = [(0, 0, 0), *([None] * len(spelt))]
    for end in range(1, len(spelt) + 1):
        for begin in range(max(0, end - longest), end):
            before = best[begin]
            if before is None or end - begin == len(spelt) or spelt[begin:end] not in known:
                continue
            split = (before[0] + 1, min(before[1], begin - end), begin)
            if (old := best[end]) is None or split < old:
                best[end] = split
    parts: list[int] = []
    end = len(spelt)
    while end and (found := best[end]) is not None:
        parts.append(known[spelt[found[2] : end]])
        end = found[2]
    return tuple(reversed(parts)) if end == 0 else ()
