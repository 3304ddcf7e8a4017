"""What the given categories cannot explain of a merge list, and which merges those are.

A low violation is no proof that nothing is missing: text of a category that was left out barely moves it
as long as the others hold the same words. A high one, or merges that occur in none of the texts, is a sign
that something is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.mixture.counts import count_merges
from forensics.mixture.pair_spelling import SpeltWords
from forensics.vocabulary.merge_list import MergeList

__all__ = ["Rival", "UnexplainedMerge", "shortfall", "unexplained_merges"]

FloatArray = npt.NDArray[np.float64]

#: Rivals named for each unexplained merge.
RIVALS = 3
#: Categories below this share cannot make a rival and are not looked at.
LEAST_SHARE = 0.005


@dataclass(frozen=True)
class Rival:
    """A pair that stood above the learned one in the estimated mixture."""

    #: Its parts as spelt in the vocabulary.
    pair: tuple[str, str]
    #: Its count as a share of what was expected of the learned pair.
    ratio: float


@dataclass(frozen=True)
class UnexplainedMerge:
    """A merge that the estimated mixture would not have made when it was made, or too rare a piece."""

    #: Its number in the list, from 0.
    step: int
    #: Its parts as spelt in the vocabulary; a piece alone.
    pair: tuple[str, ...]
    #: Its count in the mixture as a share of what the curve expects.
    ratio: float
    #: The most frequent pairs at that step, best first.
    rivals: tuple[Rival, ...]


def shortfall(counts: FloatArray, curve: FloatArray) -> FloatArray:
    """Return by what share every merge falls short of the curve, 0 (not at all) to 1 (absent), shape (T,)."""
    short = np.divide(curve - counts, curve, out=np.ones_like(curve), where=curve > 0)
    return np.asarray(np.clip(short, 0, 1), dtype=np.float64)


def unexplained_merges(
    words: Sequence[SpeltWords],
    sizes: FloatArray,
    merges: MergeList,
    alpha: FloatArray,
    counts: FloatArray,
    curve: FloatArray,
    steps: npt.NDArray[np.integer],
    most: int,
) -> list[UnexplainedMerge]:
    """Return the merges that fall furthest short of the curve, those expected most often first.

    :param words: The pre-tokens of every category.
    :param sizes: What the counts of every category are divided by, shape (n,).
    :param merges: The merge list.
    :param alpha: Proportions in units of `sizes`, shape (n,).
    :param counts: Mixture counts of the learned pairs, shape (S,).
    :param curve: The curve, shape (S,).
    :param steps: The merge numbers that `counts` and `curve` are about, shape (S,).
    :param most: How many are returned.
    """
    lost = (curve - counts) / np.sqrt(np.maximum(curve, 1e-300))
    worst = [at for at in np.argsort(-lost, kind="stable")[:most].tolist() if lost[at] > 0]
    return [
        UnexplainedMerge(
            step=int(steps[at]),
            pair=merges.pair(int(steps[at])),
            ratio=float(counts[at] / curve[at]) if curve[at] > 0 else 0.0,
            rivals=_rivals(words, sizes, merges, alpha, int(steps[at]), float(curve[at])),
        )
        for at in worst
    ]


def _rivals(
    words: Sequence[SpeltWords],
    sizes: FloatArray,
    merges: MergeList,
    alpha: FloatArray,
    step: int,
    expected: float,
) -> tuple[Rival, ...]:
    """Return the most frequent pairs in the mixture before merge `step`, other than the learned one."""
    total: dict[int, float] = {}
    earlier = merges.head(step)
    for spelt, size, share in zip(words, sizes.tolist(), alpha.tolist(), strict=True):
        if share <= LEAST_SHARE:
            continue
        found = count_merges(spelt, earlier)
        order = np.argsort(-found.left_counts)[:200]
        for key, count in zip(
            found.left_keys[order].tolist(), found.left_counts[order].tolist(), strict=True
        ):
            total[key] = total.get(key, 0.0) + share * count / size
    own = (int(merges.left[step]) << 32) | int(merges.right[step])
    total.pop(own, None)
    best = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:RIVALS]
    return tuple(
        Rival(
            (merges.symbols[key >> 32], merges.symbols[key & 0xFFFFFFFF]),
            count / expected if expected else 0.0,
        )
        for key, count in best
    )
