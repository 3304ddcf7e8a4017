"""Merges and tokens that stand in a released vocabulary though training did not choose them.

A merge list is read as a record of what was frequent (Hayase et al. 2024, arXiv 2407.16607), and makers add
to that record. What cannot be learned is told apart here by structure, so that it is applied where the
encoder would apply it and not explained: merges put in by hand, and merges that the tokenizer's own way of
cutting text can never form. Tokens that no merge makes are counted beside them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE, byte_of_fallback_piece
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unformable import unformable_merges

__all__ = ["Unlearned", "find_unlearned", "merges_by_hand", "set_aside"]

BoolArray = npt.NDArray[np.bool_]

#: Merges in a row that make runs of one whitespace character: a maker's ladder (p50k_base has 24 at the end
#: of its list, Mistral 14, Gemma 30 of line ends and 30 of tabs). In the lists that were learned throughout
#: (GPT-2, GPT-NeoX, Falcon, SmolLM2, Qwen3, cl100k_base, o200k_base, Claude) two follow each other at most.
LADDER = 6
#: Numbers that follow each other in rising order. Learned numbers are frequent together (Claude's list has
#: eight in a row) and in no order: ten rise by chance once in 10! cases.
RISING = 10
#: What spells a space in a SentencePiece vocabulary.
_SPACE = "\u2581"


@dataclass(frozen=True, eq=False)
class Unlearned:
    """What training did not choose."""

    #: Whether a merge was put in by hand, shape (T,).
    by_hand: BoolArray
    #: Whether no text can form a merge, those put in by hand left out, shape (T,).
    unformable: BoolArray
    #: Tokens that no merge makes and that the files declare to be added, special or reserved.
    added_declared: tuple[str, ...]
    #: Tokens of several symbols that no merge makes and no file declares.
    added_undeclared: tuple[str, ...]
    #: Pieces that several ids have, each once.
    duplicate_pieces: tuple[str, ...]


def find_unlearned(
    source: TokenizerSource,
    merges: MergeList,
    splitter: Splitter | None,
    given_in_text: Collection[str] = (),
) -> Unlearned:
    """Return what of a tokenizer training did not choose.

    :param source: The tokenizer.
    :param merges: Its merge list.
    :param splitter: How it cuts text; None where that is not known, and no merge is called unformable.
    :param given_in_text: Pieces that its encoder is known to give for some text, by merging: they need no
        trial where `splitter` is the encoder's own way.
    """
    added = {token.token_id for token in source.added_tokens}
    roles = {token_id for given in source.special_roles.values() for token_id in given.values()}
    declared = added | roles | set(source.declared_unused)
    known = [(token_id, piece) for token_id, piece in enumerate(source.pieces) if piece is not None]
    by_hand = merges_by_hand(
        merges, byte_level=source.byte_level, declared=[piece for at, piece in known if at in added]
    )
    unformable = (
        np.zeros(len(merges), dtype=np.bool_)
        if splitter is None
        else unformable_merges(
            merges,
            splitter,
            byte_level=source.byte_level,
            formable=given_in_text if splitter.origin == source.pretokenizer_origin else (),
        )
    )
    # A redundant way of making a piece is a way: only the list as it is stored can tell.
    made = {left + right for left, right in source.merges}
    unmade = [
        (token_id, piece)
        for token_id, piece in known
        if piece not in made
        and (token_id in declared or len(piece.removesuffix(merges.end_of_word)) > 1)
        and not (source.byte_fallback and byte_of_fallback_piece(piece) is not None)
    ]
    times = Counter(piece for _, piece in known)
    return Unlearned(
        by_hand=by_hand,
        unformable=unformable & ~by_hand,
        added_declared=tuple(piece for token_id, piece in unmade if token_id in declared),
        added_undeclared=tuple(piece for token_id, piece in unmade if token_id not in declared),
        duplicate_pieces=tuple(piece for piece, count in times.items() if count > 1),
    )


def set_aside(merges: MergeList, unlearned: Unlearned) -> MergeList:
    """Return the list with the merges that training did not choose marked as not to be explained."""
    return dataclasses.replace(merges, aside=merges.aside | unlearned.by_hand | unlearned.unformable)


def merges_by_hand(merges: MergeList, *, byte_level: bool, declared: Iterable[str] = ()) -> BoolArray:
    """Return which merges were put in by hand, shape (T,).

    Three signs: the result is a token that the files declare to be added; at least six merges in a row make
    runs of the same whitespace character; at least ten in a row make numbers, each larger than the one
    before. A single such merge is no sign, since training learns them too.

    :param merges: The merge list.
    :param byte_level: Whether pieces are spelt in GPT-2's byte alphabet.
    :param declared: Pieces of added tokens.
    """
    whitespace = {CHARACTER_OF_BYTE[byte] for byte in b" \t\n\r"} if byte_level else {_SPACE, *" \t\n\r"}
    made = [merges.symbols[number] for number in merges.result.tolist()]
    added = set(declared)
    by_hand = np.array([piece in added for piece in made], dtype=np.bool_)
    runs = [piece[0] if piece[0] in whitespace and len(set(piece)) == 1 else "" for piece in made]
    for start, stop in _stretches([one == another != "" for one, another in pairwise(runs)], LADDER):
        by_hand[start:stop] = True
    numbers = [int(piece) if piece.isascii() and piece.isdecimal() else -1 for piece in made]
    for start, stop in _stretches([0 <= one < another for one, another in pairwise(numbers)], RISING):
        by_hand[start:stop] = True
    return by_hand


def _stretches(goes_on: Sequence[bool], least: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of every longest stretch of at least `least` items.

    :param goes_on: Of every item but the last, whether the next one continues its stretch.
    """
    breaks = [-1, *np.flatnonzero(~np.array(goes_on, dtype=np.bool_)).tolist(), len(goes_on)]
    for before, last in pairwise(breaks):
        if last - before >= least:
            yield before + 1, last + 1
