"""How often every merge is applied to a text, by the tokenizer's own rule.

`mixture` counts what training saw: every merge once, in its turn. A tokenizer in use applies, in each
pre-token, the merge of the lowest rank that there is, again and again; lists that name every way of making a
piece (Llama 3's, Gemma's) are so taken by the split that is really used, and a vocabulary with
`ignore_merges` takes a pre-token that it holds whole, without merging.

Where a piece and all its parts can each be made in one way only, a token that is left in the end tells which
merges made it, and the library's own encoding of the word is enough. Words with a token of which that is not
so are merged step by step.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel, TokenizerSource

__all__ = ["AppliedMerges", "apply_merges"]

Int64Array = npt.NDArray[np.int64]
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class AppliedMerges:
    """What the merges of a tokenizer did to a text."""

    #: Times merge r was applied, shape (T,).
    applied: Int64Array
    #: Piece -> times it was taken whole, without merging (`ignore_merges` only).
    taken_whole: Mapping[str, int]
    #: Tokens of the text in the end, unknown characters counted as one each.
    tokens: int


def apply_merges(source: TokenizerSource, words: Mapping[str, int]) -> AppliedMerges:
    """Return how often every merge of `source` is applied to some pre-tokens.

    :param source: A BPE tokenizer.
    :param words: Pre-token, as its pre-tokenizer leaves it, -> how often it occurs.
    :raises BadInputError: If the tokenizer has no merges.
    """
    if source.model is not TokenizerModel.BPE or not source.merges:
        raise BadInputError(
            source.path,
            f"a {source.model.value} tokenizer with {len(source.merges):,} merges",
            "residues are what merges leave behind: they need a BPE tokenizer",
        )
    model = source.encoder.model
    suffix = getattr(model, "end_of_word_suffix", None) or ""
    known = set(source.pieces) if getattr(model, "ignore_merges", False) else set()
    rank: dict[Pair, int] = {}
    for number, pair in enumerate(source.merges):
        rank.setdefault(pair, number)
    only_way = _only_ways(source, rank)
    applied = np.zeros(len(source.merges), dtype=np.int64)
    whole: Counter[str] = Counter()
    left_standing: Counter[str] = Counter()
    tokens = 0
    for word, count in words.items():
        if word in known:
            whole[word] += count
            tokens += count
            continue
        ends = [token.value for token in model.tokenize(word)] if only_way else []
        # Unknown characters are spelt otherwise, or left out.
        whole_word = sum(map(len, ends)) == len(word) + len(suffix)
        if whole_word and all(end in only_way or _is_character(end, suffix) for end in ends):
            tokens += len(ends) * count
            for end in ends:
                left_standing[end] += count
            continue
        steps, left = _merge(word, suffix, rank)
        tokens += left * count
        for step in steps:
            applied[step] += count
    _count_makings(left_standing, only_way, source.merges, applied)
    return AppliedMerges(applied, whole, tokens)


def _only_ways(source: TokenizerSource, rank: Mapping[Pair, int]) -> dict[str, int]:
    """Return piece -> the merge that makes it, for pieces that can be made in one way, parts and all.

    Nothing where the library does not simply merge characters by rank.
    """
    model = source.encoder.model
    prefix, dropout = (getattr(model, name, None) for name in ("continuing_subword_prefix", "dropout"))
    if prefix or dropout or len(rank) < len(source.merges):
        return {}
    ways = Counter(left + right for left, right in rank)
    suffix = getattr(model, "end_of_word_suffix", None) or ""
    found: dict[str, int] = {}
    # Parts are shorter than what they make, so those of a piece have been decided before it.
    for (left, right), number in sorted(rank.items(), key=lambda item: len(item[0][0]) + len(item[0][1])):
        if ways[left + right] == 1 and all(
            part in found or _is_character(part, suffix) for part in (left, right)
        ):
            found[left + right] = number
    return found


def _is_character(piece: str, suffix: str) -> bool:
    return len(piece) == 1 or (bool(suffix) and len(piece.removesuffix(suffix)) == 1)


def _count_makings(
    standing: Mapping[str, int], only_way: dict[str, int], merges: Sequence[Pair], applied: Int64Array
) -> None:
    """Add to `applied` the merges behind tokens that are left, each of which can be made in one way."""
    made = Counter(standing)
    # The longest first: nothing that is made later has a piece among its parts.
    for piece, number in reversed(only_way.items()):
        if times := made[piece]:
            applied[number] += times
            for part in merges[number]:
                made[part] += times


def _merge(word: str, suffix: str, rank: Mapping[Pair, int]) -> tuple[Sequence[int], int]:
    """Return the ranks applied in a pre-token, with repetition, and the number of tokens left."""
    parts = list(word)
    if suffix and parts:
        parts[-1] += suffix
    never = len(rank) + 1
    ranks = [rank.get((left, right), never) for left, right in itertools.pairwise(parts)]
    steps: list[int] = []
    while ranks:
        best = min(ranks)
        if best == never:
            break
        at = ranks.index(best)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        del ranks[at]
        if at > 0:
            ranks[at - 1] = rank.get((parts[at - 1], parts[at]), never)
        if at < len(ranks):
            ranks[at] = rank.get((parts[at], parts[at + 1]), never)
        steps.append(best)
    return steps, len(parts)
