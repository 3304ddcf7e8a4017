"""The ordered merge list a tokenizer's training left behind, cleaned of what training cannot have made.

Data mixture inference (Hayase et al. 2024, arXiv 2407.16607) reads a merge list as a record: at every step
the pair that was merged was the most frequent one in the training text. Released files hold more than that
record. SentencePiece and tiktoken keep no list, and its reconstruction names several ways of making one
piece; converters repeat merges or list some whose parts do not exist. Those are dropped here and counted;
nothing is repaired in the tokenizer itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel, TokenizerSource

__all__ = [
    "DROPPED",
    "MergeList",
    "MergeStanding",
    "build_merge_list",
    "end_of_word",
    "merge_list_of",
    "merge_standings",
    "read_merge_list",
    "shared_prefix",
    "subword_prefix",
]

Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

#: Algorithm -> what its files keep of the training text instead.
_KEEPS: Mapping[TokenizerModel, str] = {
    TokenizerModel.UNIGRAM: (
        "its scores tell how probable each piece is in the training text, of all categories together"
    ),
    TokenizerModel.WORDPIECE: "a piece that is there paid off, and nothing tells how often or when",
    TokenizerModel.LONGEST_MATCH: "a piece that is there was chosen, and nothing tells how often or when",
    TokenizerModel.WORDLEVEL: "a word that is there was frequent enough, and nothing tells how frequent",
}

#: Share of the first k merges that must be the other tokenizer's for k to count as "begins with" it.
#: Reconstructions of the same list differ in a handful of merges (ties, hand-made entries).
PREFIX_AGREEMENT = 0.995


class MergeStanding(StrEnum):
    """Whether training can have made a stored merge."""

    #: It can.
    LEARNED = "learned"
    #: The same pair stands further up.
    REPEATED = "repeated"
    #: Another way of making a piece: what the merges above it leave standing is not this pair.
    REDUNDANT = "redundant"
    #: A part is neither a single character nor made by any merge.
    DANGLING = "dangling"


#: The standings of merges that are left out of a `MergeList`.
DROPPED = (MergeStanding.REPEATED, MergeStanding.REDUNDANT, MergeStanding.DANGLING)


@dataclass(frozen=True, eq=False)
class MergeList:
    """Merges in the order in which they were learned, over integer symbols."""

    #: Symbols as spelt in the vocabulary; the alphabet first, then results of merges.
    symbols: tuple[str, ...]
    #: Symbol numbers of the left part, shape (T,).
    left: Int32Array
    #: Symbol numbers of the right part, shape (T,).
    right: Int32Array
    #: Symbol numbers of what the merge makes, shape (T,).
    result: Int32Array
    #: One character -> its symbol number, where a pre-token goes on after it.
    alphabet: Mapping[str, int]
    #: What ends every pre-token (CLIP's `</w>`), empty for nearly all tokenizers.
    end_of_word: str
    #: Kind of merge that was left out -> how many (`repeated`, `redundant`, `dangling`).
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: Of every stored merge, kept or left out, whether training can have made it; in the file's order.
    standing: tuple[MergeStanding, ...] = ()
    #: Whether a merge is applied and not explained, shape (T,): training did not choose it.
    #: Default none of them; see `vocabulary.unlearned`.
    aside: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        if not len(self.aside):
            object.__setattr__(self, "aside", np.zeros(len(self.left), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.left)

    def head(self, count: int) -> MergeList:
        """Return the list cut after its first `count` merges; the symbols stay numbered as they are."""
        return MergeList(
            self.symbols,
            self.left[:count],
            self.right[:count],
            self.result[:count],
            self.alphabet,
            self.end_of_word,
            self.dropped,
            self.standing,
            self.aside[:count],
        )

    def pair(self, step: int) -> tuple[str, str]:
        """Return the pair merged at `step` as it is spelt in the vocabulary."""
        return self.symbols[self.left[step]], self.symbols[self.right[step]]


def merge_list_of(source: TokenizerSource, read: MergeList | None = None) -> MergeList:
    """Return the merge list of a BPE tokenizer.

    :param source: The tokenizer.
    :param read: What `read_merge_list` says of it, if the caller has that already.
    :raises BadInputError: If the algorithm is not BPE, or no merge is left.
    """
    if source.model is not TokenizerModel.BPE:
        raise BadInputError(
            source.path,
            f"a {source.model.value} tokenizer, which keeps no ordered merges ({_KEEPS[source.model]})",
            "no proportions can be inferred from it: give a BPE tokenizer, or see with `forensics tokens` "
            "which scripts its pieces are of",
        )
    prefix = subword_prefix(source)
    if prefix:
        raise BadInputError(
            source.path,
            f"BPE with a continuing_subword_prefix ({prefix!r})",
            "only BPE without a prefix inside words is supported",
        )
    merges = read_merge_list(source) if read is None else read
    if not len(merges):
        raise BadInputError(source.path, "a BPE tokenizer without a usable merge", "give a trained tokenizer")
    return merges


def read_merge_list(source: TokenizerSource) -> MergeList:
    """Return the merge list of a tokenizer as it is, empty where it has none.

    It is of use only where pieces carry no prefix inside words, see `subword_prefix`.

    :param source: The tokenizer.
    """
    known = [piece for piece in source.pieces if piece is not None]
    return build_merge_list(source.merges, known, end_of_word=end_of_word(source))


def subword_prefix(source: TokenizerSource) -> str:
    """Return what pieces inside a word are spelt with in front, empty for nearly all tokenizers."""
    return getattr(source.encoder.model, "continuing_subword_prefix", None) or ""


def end_of_word(source: TokenizerSource) -> str:
    """Return what the last piece of a word is spelt with behind, empty for nearly all tokenizers."""
    return getattr(source.encoder.model, "end_of_word_suffix", None) or ""


def build_merge_list(
    merges: Sequence[tuple[str, str]], pieces: Sequence[str], *, end_of_word: str = ""
) -> MergeList:
    """Return `merges` over integer symbols, without those that training cannot have made.

    :param merges: Pairs of pieces in order.
    :param pieces: The vocabulary; its single characters make up the alphabet.
    :param end_of_word: What the last character of every pre-token is spelt with.
    """
    alphabet, number = _atoms(pieces, end_of_word)
    standing = merge_standings(merges, pieces, end_of_word=end_of_word)
    left, right, result = [], [], []
    for (first, second), stands in zip(merges, standing, strict=True):
        if stands is MergeStanding.LEARNED:
            made = number.setdefault(first + second, len(number))
            left.append(number[first])
            right.append(number[second])
            result.append(made)
    times = Counter(standing)
    return MergeList(
        symbols=tuple(number),
        left=np.array(left, dtype=np.int32),
        right=np.array(right, dtype=np.int32),
        result=np.array(result, dtype=np.int32),
        alphabet={c: number[c] for c in alphabet},
        end_of_word=end_of_word,
        dropped={str(kind): times[kind] for kind in DROPPED if times[kind]},
        standing=tuple(standing),
    )


def _atoms(pieces: Sequence[str], end_of_word: str) -> tuple[list[str], dict[str, int]]:
    """Return the alphabet, and symbol -> number for what no merge makes."""
    alphabet = list(dict.fromkeys(piece for piece in pieces if len(piece) == 1))
    atoms = [*alphabet, *(c + end_of_word for c in alphabet if end_of_word)]
    return alphabet, {symbol: n for n, symbol in enumerate(atoms)}


def merge_standings(
    merges: Sequence[tuple[str, str]], pieces: Sequence[str], *, end_of_word: str = ""
) -> list[MergeStanding]:
    """Return for every merge whether training can have made it, in order.

    Nothing crosses the ends of a piece while it is being put together, so inside it the merges run as if it
    stood alone: of several pairs making one piece only the one that the earlier merges leave standing was
    ever there to be learned.

    :param merges: Pairs of pieces in order.
    :param pieces: The vocabulary; its single characters make up the alphabet.
    :param end_of_word: What the last character of every pre-token is spelt with.
    """
    _, atoms = _atoms(pieces, end_of_word)
    ways: dict[str, int] = {}
    for pair in dict.fromkeys(merges):
        ways[pair[0] + pair[1]] = ways.get(pair[0] + pair[1], 0) + 1
    rank: dict[tuple[str, str], int] = {}
    formed: set[str] = set(atoms)
    makable = formed | ways.keys()
    standing = []
    for pair in merges:
        left, right = pair
        piece = left + right
        if pair in rank:
            standing.append(MergeStanding.REPEATED)
        elif left not in makable or right not in makable:
            standing.append(MergeStanding.DANGLING)
        elif (
            left not in formed
            or right not in formed
            or (ways[piece] > 1 and _reduced(piece, rank, end_of_word) != [left, right])
        ):
            standing.append(MergeStanding.REDUNDANT)
        else:
            standing.append(MergeStanding.LEARNED)
            rank[pair] = len(rank)
            formed.add(piece)
    return standing


def _reduced(piece: str, rank: Mapping[tuple[str, str], int], end_of_word: str) -> list[str]:
    """Return what the merges so far make of `piece` standing alone."""
    body = piece.removesuffix(end_of_word) if end_of_word and piece.endswith(end_of_word) else piece
    parts = list(body)
    if len(body) < len(piece):
        parts[-1] += end_of_word
    never = len(rank)
    while len(parts) > 1:
        best = min(pairwise(parts), key=lambda pair: rank.get(pair, never))
        if best not in rank:
            break
        joined: list[str] = []
        position = 0
        while position < len(parts):
            width = 2 if tuple(parts[position : position + 2]) == best else 1
            joined.append("".join(parts[position : position + width]))
            position += width
        parts = joined
    return parts


def shared_prefix(merges: MergeList, other: MergeList) -> int:
    """Return how many merges of `merges` were taken over from `other`: the list begins with them.

    The count is the largest k of which at least 99.5 % of the first k merges are `other`'s, the k-th among
    them, and that are not more than `other` has.
    """
    theirs = {other.pair(step) for step in range(len(other))}
    bound = min(len(merges), len(other))
    own = np.array([merges.pair(step) in theirs for step in range(bound)], dtype=bool)
    share = np.cumsum(own) / np.arange(1, bound + 1)
    agreed = np.flatnonzero(own & (share >= PREFIX_AGREEMENT))
    return int(agreed[-1]) + 1 if len(agreed) else 0
