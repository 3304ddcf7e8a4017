"""Tokens that a scan verifies as under-trained in one model and not in another, matched by bytes.

Two models on one tokenizer share much of this set whoever trained them: it follows the tokenizer's text.
It is no evidence of descent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forensics.schema.words import Verdict

__all__ = ["ScanDifference", "ScanOfTokens", "ScannedToken", "Standing", "compare_scans"]


class Standing(StrEnum):
    """What the other scan says of a token that one verifies."""

    #: It verifies it too.
    VERIFIED = "verified"
    #: It tested it and does not verify it.
    NOT_VERIFIED = "not verified"
    #: It has the token and did not test it.
    NOT_TESTED = "not tested"
    #: Its tokenizer has no such token.
    ABSENT = "absent"


@dataclass(frozen=True, eq=False)
class ScanOfTokens:
    """A finished scan, by token id."""

    name: str
    #: Bytes of every token, None for rows without a piece.
    bytes: Sequence[bytes | None]
    #: The verdict's word, None where the token was not tested.
    verdicts: Sequence[str | None]


@dataclass(frozen=True)
class ScannedToken:
    """A token that at least one of two scans verifies."""

    bytes: bytes
    id_a: int | None
    id_b: int | None
    in_a: Standing
    in_b: Standing


@dataclass(frozen=True, eq=False)
class ScanDifference:
    """Every token verified in either scan."""

    #: In the order of A's ids, then of B's.
    tokens: tuple[ScannedToken, ...]
    #: (standing in A, standing in B) -> how many tokens.
    counts: Mapping[tuple[Standing, Standing], int]


def compare_scans(a: ScanOfTokens, b: ScanOfTokens) -> ScanDifference:
    """Return the tokens that either scan verifies, with what the other says of them.

    Of several ids with the same bytes a verified one stands for all, else a tested one, else the first.
    """
    of_a, of_b = _by_bytes(a), _by_bytes(b)
    found = []
    for data in dict.fromkeys((*of_a, *of_b)):
        (id_a, in_a), (id_b, in_b) = (
            of_a.get(data, (None, Standing.ABSENT)),
            of_b.get(data, (None, Standing.ABSENT)),
        )
        if Standing.VERIFIED in (in_a, in_b):
            found.append(ScannedToken(data, id_a, id_b, in_a, in_b))
    counts: dict[tuple[Standing, Standing], int] = {}
    for token in found:
        key = (token.in_a, token.in_b)
        counts[key] = counts.get(key, 0) + 1
    return ScanDifference(tuple(found), dict(sorted(counts.items())))


_VERIFIED = frozenset(str(verdict) for verdict in Verdict if verdict.is_verified)
_ORDER = (Standing.NOT_TESTED, Standing.NOT_VERIFIED, Standing.VERIFIED)


def _by_bytes(scan: ScanOfTokens) -> dict[bytes, tuple[int, Standing]]:
    found: dict[bytes, tuple[int, Standing]] = {}
    for token_id, (data, word) in enumerate(zip(scan.bytes, scan.verdicts, strict=True)):
        if data is None:
            continue
        standing = Standing.NOT_TESTED
        if word is not None:
            standing = Standing.VERIFIED if word in _VERIFIED else Standing.NOT_VERIFIED
        known = found.get(data)
        if known is None or _ORDER.index(standing) > _ORDER.index(known[1]):
            found[data] = (token_id, standing)
    return found
