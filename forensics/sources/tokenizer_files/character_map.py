"""SentencePiece's precompiled character map, checked before text meets it.

The map is a double array (darts-clone) of UTF-8 texts and, behind it, what each is replaced by. The
`tokenizers` library follows the array without looking where it leads: of a damaged one it panics at the first
text with the wrong character, which may come hours into a run. So every path through the array is followed
once. What is not checked is whether the replacements are the right ones.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError

if TYPE_CHECKING:
    import tokenizers

__all__ = ["is_sound", "refuse_unsound_maps"]

#: Bits of a unit: the byte it is reached by, whether it is a value, whether a text ends here.
_LABEL, _IS_VALUE, _HAS_LEAF = 0xFF, 1 << 31, 1 << 8
#: The arrays are made of blocks of 256 units: any byte, put to a base, stays in its block.
_BYTES = 0xFF


def refuse_unsound_maps(where: Path, encoder: tokenizers.Tokenizer) -> None:
    """Look at every character map of `encoder`.

    :param where: The file it comes from.
    :param encoder: The tokenizer.
    :raises BadInputError: If a map leads out of itself.
    """
    if encoder.normalizer is None:
        return
    state = json.loads(encoder.normalizer.__getstate__())
    if not all(is_sound(table) for table in _maps(state)):
        found = "its precompiled character map is damaged"
        raise BadInputError(where, found, "fetch the file again")


def is_sound(table: bytes) -> bool:
    """Return whether no text can lead out of a map.

    :param table: Bytes of the array (4, little-endian), the array, the replacements with a zero after each.
    """
    size = int.from_bytes(table[:4], "little")
    units = np.frombuffer(table[4 : 4 + size - size % 4], dtype="<u4").astype(np.int64)
    replacements = table[4 + 4 * len(units) :]
    if not len(units):
        return False
    # A unit that a byte leads to lies at base XOR byte, so its own byte tells the base it belongs to.
    labels = units & _LABEL
    steps = np.flatnonzero((units & _IS_VALUE == 0) & (labels > 0))
    steps = steps[np.argsort(steps ^ labels[steps], kind="stable")]
    bases = steps ^ labels[steps]
    reached = np.zeros(len(units), dtype=bool)
    front = _base(units, np.array([0]))
    while len(front):
        if np.any(front | _BYTES >= len(units)):
            return False
        front = np.unique(front[~reached[front]])
        reached[front] = True
        first, last = np.searchsorted(bases, front), np.searchsorted(bases, front, side="right")
        taken = np.concatenate([steps[a:b] for a, b in zip(first, last, strict=True) if b > a] or [steps[:0]])
        after = _base(units, taken)
        leaves = after[units[taken] & _HAS_LEAF > 0]
        if np.any(leaves >= len(units)) or not _are_starts(units[leaves] & ~_IS_VALUE, replacements):
            return False
        front = after
    return True


def _base(units: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where the units `at` lead to: their offset is coarse where bit 9 is set."""
    taken = units[at]
    return at ^ ((taken >> 10) << ((taken & (1 << 9)) >> 6))


def _are_starts(places: npt.NDArray[np.int64], replacements: bytes) -> bool:
    """Return whether every place is one where a replacement may begin: the first byte of a character."""
    if np.any(places > len(replacements)):
        return False
    following = np.frombuffer(replacements + b"\0", dtype=np.uint8)[places]
    return not np.any(following & 0xC0 == 0x80)


def _maps(state: object) -> Iterator[bytes]:
    """Yield the maps of a normalizer and of those in it."""
    if not isinstance(state, dict):
        return
    if isinstance(table := state.get("precompiled_charsmap"), str):
        yield base64.b64decode(table)
    for part in state.get("normalizers", ()):
        yield from _maps(part)
