"""Merges that the tokenizer's own way of cutting text can never form.

A merge joins two neighbours within one pre-token. Where the normalizer or the pre-tokenizer always cuts
between them, or alters what they say, no training text can have made the pair frequent: the merge comes from
another way of cutting (a rule changed after training, lists of two tokenizers put together) or from a hand.

"Never" is established by trial: the piece is put into texts, alone and with every combination of what may
stand before and after it, and is unformable if none of them has a pre-token that contains it. That is proof
of the opposite where one has, and evidence where none has: a rule could look further than the contexts
reach. What encoding is known to give for some text needs no trial. Pieces that begin or end in the middle
of a character are judged by the whole characters in them, since the cuts between those fall whatever
completes the others; with fewer than two there is nothing to cut.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import product

import numpy as np
import numpy.typing as npt

from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece, piece_of_bytes
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.splitting import Splitter

__all__ = ["unformable_merges"]

#: What may stand before and after a piece: one of every class that the known rules tell apart (letters in
#: both cases and three scripts, digits that fill a group up, whitespace, punctuation, the apostrophe of
#: contractions). A piece that stands whole alone is not tried with them.
_BEFORE = ("", " ", "a", "Z", "я", "中", "1", "12", "\n", ".", "'", " a", "  ", "{letter}")
_AFTER = ("", "a", "Z", "1", " ", "\n", ".", " a")
#: Stands for the first letter of the piece itself.
_OWN = "{letter}"
_ALONE = (("", ""),)
_CONTEXTS = tuple(product(_BEFORE, _AFTER))


def unformable_merges(
    merges: MergeList, splitter: Splitter, *, byte_level: bool, formable: Collection[str] = ()
) -> npt.NDArray[np.bool_]:
    """Return which merges no text can form, shape (T,).

    :param merges: The merge list.
    :param splitter: How text is cut.
    :param byte_level: Whether pieces are spelt in GPT-2's byte alphabet.
    :param formable: Pieces for which a text is known that `splitter` leaves whole; they are not tried.
    """
    steps = list(zip(merges.left.tolist(), merges.right.tolist(), merges.result.tolist(), strict=True))
    is_made = set(merges.result.tolist())  # what no merge makes is a single character
    can = [number not in is_made or piece in formable for number, piece in enumerate(merges.symbols)]
    # Backwards and alone: a pre-token that contains a piece contains the parts of which it is made.
    for left, right, made in reversed(steps):
        if can[made] or _Piece(merges, made, splitter, byte_level).stands_whole(_ALONE):
            can[made] = can[left] = can[right] = True
    # Forwards, in context, the few that are left: what contains an unformable piece is unformable.
    for left, right, made in steps:
        if not can[made] and can[left] and can[right]:
            can[made] = _Piece(merges, made, splitter, byte_level).stands_whole(_CONTEXTS)
    return ~np.array(can, dtype=np.bool_)[merges.result]


class _Piece:
    """A piece with the text that could contain it."""

    def __init__(self, merges: MergeList, number: int, splitter: Splitter, byte_level: bool) -> None:
        piece = merges.symbols[number].removesuffix(merges.end_of_word)
        self.text = piece
        if byte_level:
            data = bytes_of_piece(piece)
            self.text = "" if data is None else _whole_characters(data)
            piece = piece_of_bytes(self.text.encode("utf-8"))
        self.piece = piece
        # A normalizer that rewrites spaces speaks another alphabet than the pieces, which are normalized.
        self.cut = splitter.split if splitter.local else splitter.split_normalized

    def stands_whole(self, contexts: Iterable[tuple[str, str]]) -> bool:
        """Return whether one of `contexts` gives a pre-token that contains the piece."""
        if len(self.text) < 2:
            return True
        # A mark that begins a piece needs a letter of its own script before it.
        letter = next((character for character in self.text if character.isalpha()), "")
        return any(
            any(self.piece in word for word in self.cut(f"{before}{self.text}{after}"))
            for before, after in ((before.replace(_OWN, letter), after) for before, after in contexts)
        )


def _whole_characters(data: bytes) -> str:
    """Return the characters that lie whole in `data`; empty where it is no part of any UTF-8 text."""
    start = next((at for at, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), len(data))
    for stop in range(len(data), max(start, len(data) - 3) - 1, -1):
        try:
            return data[start:stop].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return ""
