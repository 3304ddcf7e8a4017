"""How often every merge is applied to a text, by the tokenizer's own rule.

`mixture` counts what training saw: every merge once, in its turn. A tokenizer in use applies, in each
pre-token, the merge of the lowest rank that there is, again and again; lists that name every way of making a
piece (Llama 3's, Gemma's) are so taken by the split that is really used, and a vocabulary with
`ignore_merges` takes a pre-token that it holds whole, without merging.
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
    applied: Counter[int] = Counter()
    whole: Counter[str] = Counter()
    tokens = 0
    for word, count in words.items():
        if word in known:
            whole[word] += count
            tokens += count
            continue
        steps, left = _merge(word, suffix, rank)
        tokens += left * count
        for step in steps:
            applied[step] += count
    return AppliedMerges(
        np.array([applied[number] for number in range(len(source.merges))], dtype=np.int64), whole, tokens
    )


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
