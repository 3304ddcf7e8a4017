"""What a solver of the linear program is given, and what it gives back.

The program asks that at every merge t within a stretch [start, stop), in which the count of a pair p stays
the same, the learned pair is at least as frequent as p. Written out this is a row for every step of the
stretch, and the stretches that matter of 10,000 merges and 30 categories have some ten million steps. It is
the same to ask it of the *least* threshold in the stretch,

    x + v_p >= count(p),   x <= z_q for the nodes q that make up the stretch,   z_q <= z_child,
    z_t <= count(m_t) + s_t at the leaves,

where the z are unknowns on the nodes of a binary tree over the merges: every stretch is made of few nodes,
and the program has some rows per merge and per stretch instead of one for each pairing of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Master", "Optimum", "Stretches", "tree_cover", "tree_links"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of steps in which the count of a pair stays the same, R of them."""

    #: Pair number of each, shape (R,).
    pair: IntArray
    #: First step of each, shape (R,).
    start: IntArray
    #: The step after the last one, shape (R,); above `start`.
    stop: IntArray
    #: The count of the pair by category, shape (R, n).
    counts: FloatArray


@dataclass(frozen=True, eq=False)
class Optimum:
    """The optimum of the program with the stretches given so far."""

    #: Proportions, shape (n,), sum to 1.
    alpha: FloatArray
    #: Slack of every merge, shape (T,).
    merge_slack: FloatArray
    #: Slack of every pair, shape (P,).
    pair_slack: FloatArray
    #: Total slack.
    objective: float


class Master(Protocol):
    """A solver of the program with the stretches given to it so far."""

    def begin(self, learned: FloatArray, pairs: int) -> None:
        """State the program without any stretch.

        :param learned: Counts of the learned pair by merge and category, shape (T, n).
        :param pairs: The number of pairs P.
        """

    def add(self, stretches: Stretches) -> None:
        """Add stretches."""

    def solve(self, low: FloatArray, high: FloatArray) -> Optimum:
        """Return the optimum among the proportions between `low` and `high`, shape (n,) each.

        :raises ForensicsError: If no optimum is found.
        """


def tree_links(leaves: int) -> tuple[IntArray, IntArray]:
    """Return the parent and the child of every link of a binary tree.

    The leaf of step t is node `leaves + t`, and the children of node q are 2 q and 2 q + 1; node 0 does not
    exist. The number of leaves need not be a power of two.

    >>> tree_links(2)
    (array([1, 1]), array([2, 3]))
    """
    child = np.arange(2, 2 * leaves, dtype=np.int64)
    return child // 2, child


def tree_cover(start: IntArray, stop: IntArray, leaves: int) -> tuple[IntArray, IntArray]:
    """Return nodes whose leaves together are the steps of each stretch: numbers of stretches, and nodes.

    >>> tree_cover(np.array([1]), np.array([4]), 4)  # step 1, and the parent of steps 2 and 3
    (array([0, 0]), array([5, 3]))
    """
    left, right = start + leaves, stop + leaves
    stretches, nodes = [], []
    while (open_ := left < right).any():
        odd = np.flatnonzero(open_ & (left % 2 == 1))
        stretches.append(odd)
        nodes.append(left[odd])
        odd_end = np.flatnonzero(open_ & (right % 2 == 1))
        stretches.append(odd_end)
        nodes.append(right[odd_end] - 1)
        left, right = (left + 1) // 2, right // 2
    empty = np.empty(0, dtype=np.int64)
    return np.concatenate([empty, *stretches]), np.concatenate([empty, *nodes])
