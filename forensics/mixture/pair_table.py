"""The counts of all pairs at all steps in all categories, kept as changes.

What the linear program asks is always the same: given proportions and slacks, which pairs stand above the
learned pair, and where? A pair's count is constant between two of its changes, so a table of the changes
answers for every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.mixture.counts import PairEvents

__all__ = ["PairTable", "build_pair_table"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PairTable:
    """Counts of pairs per unit of text, as changes at steps; events of a pair are consecutive."""

    #: Pair keys, ascending, shape (P,).
    keys: IntArray
    #: Pair number of every event, ascending, shape (E,).
    pair: IntArray
    #: First event of every pair, shape (P + 1,).
    first: IntArray
    #: From which step an event's value holds, shape (E,).
    start: IntArray
    #: Up to which step (exclusive) it holds, shape (E,).
    stop: IntArray
    #: Change by category, sparse (E, n).
    changes: Any

    def values(self, alpha: FloatArray) -> FloatArray:
        """Return the mixture's count of its pair from every event on, shape (E,)."""
        total = np.cumsum(self.changes @ alpha)
        before = np.concatenate([[0.0], total])[self.first[:-1]]
        return np.asarray(total - np.repeat(before, np.diff(self.first)), dtype=np.float64)

    def counts(self, events: IntArray) -> FloatArray:
        """Return the count of the pair from each of `events` on, by category, shape (len(events), n)."""
        from scipy import sparse

        begin = self.first[self.pair[events]]
        lengths = events - begin + 1
        ends = np.concatenate([[0], np.cumsum(lengths)])
        inside = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths) + np.repeat(begin, lengths)
        chosen = sparse.csr_array(
            (np.ones(len(inside)), inside, ends), shape=(len(events), self.changes.shape[0])
        )
        return np.asarray((chosen @ self.changes).todense(), dtype=np.float64)


def build_pair_table(events: Sequence[PairEvents], sizes: FloatArray, steps: int) -> PairTable:
    """Return the events of all categories in one table.

    :param events: The events of every category, in order.
    :param sizes: What the counts of every category are divided by, shape (n,).
    :param steps: The number of merges T; changes after the last one are left out.
    """
    from scipy import sparse

    keys = np.concatenate([part.keys for part in events])
    at = np.concatenate([part.steps for part in events]).astype(np.int64)
    category = np.repeat(np.arange(len(events)), [len(part.keys) for part in events])
    change = np.concatenate([part.changes / size for part, size in zip(events, sizes, strict=True)])
    used = at < steps
    keys, at, category, change = keys[used], at[used], category[used], change[used]
    order = np.lexsort((category, at, keys))
    keys, at, category, change = keys[order], at[order], category[order], change[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]) | (at[1:] != at[:-1])
    row = np.cumsum(new) - 1
    event_keys, start = keys[new], at[new]
    distinct, first, pair = np.unique(event_keys, return_index=True, return_inverse=True)
    stop = np.full(len(start), steps, dtype=np.int64)
    same = pair[1:] == pair[:-1]
    stop[:-1][same] = start[1:][same]
    return PairTable(
        keys=distinct,
        pair=pair.astype(np.int64),
        first=np.append(first, len(start)).astype(np.int64),
        start=start,
        stop=stop,
        changes=sparse.csr_array((change, (row, category)), shape=(len(start), len(events))),
    )
