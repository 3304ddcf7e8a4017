"""Which runs have one vocabulary, and which vocabularies go on where another ends.

A finished run keeps the pieces by id and not the merges, so that this asks for the plainest descent there
is: the same pieces at the same ids, and perhaps more after them, as fine-tuning with added tokens leaves it.
A vocabulary is kept as the running hash of its pieces, from which every beginning can be recognised; the work
is linear in the number of pieces, however many vocabularies there are.

Left out: the common order of merges, which also finds descendants with other ids. `forensics compare` reads
the tokenizers themselves and has it (`comparison/lineage.py`); here it would be a comparison of every two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Beginnings", "Vocabulary", "beginnings", "group"]

#: All byte-level tokenizers may begin with the same 256 pieces: less than this part of one is no descent.
LEAST_PART = 0.5
_DIGEST = 8

#: Entry `i` stands for the first `i + 1` pieces, shape (pieces,).
Beginnings = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Vocabulary:
    """One vocabulary and the runs that have it."""

    pieces: int
    names: tuple[str, ...]
    #: Place in the list of the longest other one that it begins with.
    begins_with: int | None


def beginnings(pieces: Iterable[bytes]) -> Beginnings:
    """Return the hash of every beginning of a vocabulary.

    :param pieces: Its pieces by id.
    """
    state, found = b"", bytearray()
    for piece in pieces:
        state = hashlib.blake2b(state + piece, digest_size=_DIGEST).digest()
        found += state
    return np.frombuffer(bytes(found), dtype=np.uint64)


def group(vocabularies: Mapping[str, Beginnings]) -> list[Vocabulary]:
    """Return the different vocabularies, in the order of the first run that has each.

    :param vocabularies: Run -> its vocabulary.
    """
    runs: dict[tuple[int, int], list[str]] = {}
    known: dict[tuple[int, int], Beginnings] = {}
    for name, hashes in vocabularies.items():
        if len(hashes):
            key = (len(hashes), int(hashes[-1]))
            runs.setdefault(key, []).append(name)
            known.setdefault(key, hashes)
    keys = list(runs)
    return [Vocabulary(key[0], tuple(runs[key]), _longest_beginning(key, known[key], keys)) for key in keys]


def _longest_beginning(of: tuple[int, int], hashes: Beginnings, keys: list[tuple[int, int]]) -> int | None:
    """Return the place of the longest other vocabulary that this one begins with."""
    size = of[0]
    shorter = [
        (length, place)
        for place, (length, last) in enumerate(keys)
        if LEAST_PART * size <= length < size and int(hashes[length - 1]) == last
    ]
    return max(shorter)[1] if shorter else None
