"""Groups of rows that are equal bit for bit, and groups that are nearly equal.

Rows that no gradient told apart stay equal: identical rows are the cheapest sign of tokens that were
never updated, and need no threshold. Two cautions belong into every report: quantisation rounds rows
that differed slightly onto the same values, and tokens added together are often initialised alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import ArrayMatrix, RowMatrix, block_rows, centred_blocks
from forensics.undertrained.rows import RowStatistics

__all__ = ["RowGroups", "identical_groups", "near_identical_groups"]

Float32Array = npt.NDArray[np.float32]

#: Largest distance of near-identical rows, as a share of the median distance of rows from their mean.
#: Two roundings of one row to Q8_0 differ by about 0.01 of its norm (step max/127 over 32 values of a
#: normal row, error uniform in a step), so 0.02 joins what only rounding has told apart.
NEAR_TOLERANCE = 0.02

#: Sign bits per table and number of tables of the hash that proposes near-identical pairs. Rows at
#: relative distance 0.02 share all 24 bits with probability (1 - 0.02/pi)^24 = 0.86, and so meet in
#: at least one of 4 tables with probability 0.9996.
_BITS, _TABLES = 24, 4

#: Columns from which a row is folded before it is hashed: the columns, each with a random sign, are added
#: up to as many. Two rows at relative distance 0.02 are still at 0.02 (+- 0.0006) then, and 8,192 columns
#: cost an eighth.
_FOLDED = 1024

#: How many leaders a bucket is compared with before the rest of it is left alone.
_LEADERS = 8


@dataclass(frozen=True, eq=False)
class RowGroups:
    """A partition of rows into groups of two or more; rows in no group are single."""

    #: Number of the group of each row, -1 for single rows, shape (V,). Groups are numbered by their
    #: smallest row.
    group: npt.NDArray[np.int64]
    #: Rows in the group of each row, 1 for single rows, shape (V,).
    size: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of groups."""
        return int(self.group.max(initial=-1)) + 1

    def representatives(self) -> npt.NDArray[np.bool_]:
        """Mark single rows and the smallest row of each group, shape (V,)."""
        mask = self.group < 0
        numbers, first = np.unique(self.group, return_index=True)
        mask[first[numbers >= 0]] = True
        return mask

    def members(self) -> list[npt.NDArray[np.int64]]:
        """Return the rows of every group, in the order of the groups' numbers."""
        rows = np.flatnonzero(self.group >= 0)
        order = rows[np.argsort(self.group[rows], kind="stable")]
        return np.split(order, np.cumsum(np.bincount(self.group[rows]))[:-1]) if len(rows) else []


def _from_labels(labels: npt.NDArray[np.int64]) -> RowGroups:
    """Turn labels (equal label, equal group; -1 single) into numbered groups of two or more."""
    V = len(labels)
    group = np.full(V, -1, dtype=np.int64)
    size = np.ones(V, dtype=np.int64)
    labelled = np.flatnonzero(labels >= 0)
    _, first, inverse, counts = np.unique(
        labels[labelled], return_index=True, return_inverse=True, return_counts=True
    )
    kept = counts >= 2
    order = np.argsort(np.where(kept, first, V), kind="stable")
    number = np.full(len(counts), -1, dtype=np.int64)
    number[order[: int(kept.sum())]] = np.arange(int(kept.sum()))
    group[labelled] = number[inverse]
    size[labelled] = np.where(kept[inverse], counts[inverse], 1)
    return RowGroups(group=group, size=size)


def identical_groups(matrix: RowMatrix, statistics: RowStatistics) -> RowGroups:
    """Return the groups of rows whose stored bytes are equal.

    Rows of equal hash are compared byte by byte, so a collision cannot make a group.

    :param matrix: The matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    """
    labels = np.full(matrix.shape[0], -1, dtype=np.int64)
    values, inverse, counts = np.unique(statistics.hashes, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] >= 2)
    contents: dict[tuple[int, bytes], int] = {}
    del values
    for row in shared:
        key = (int(inverse[row]), matrix.stored_rows(int(row), int(row) + 1).tobytes())
        labels[row] = contents.setdefault(key, len(contents))
    return _from_labels(labels)


def near_identical_groups(
    matrix: RowMatrix,
    statistics: RowStatistics,
    rng: np.random.Generator,
    tolerance: float = NEAR_TOLERANCE,
) -> RowGroups:
    """Return the groups of rows within `tolerance` of each other (chains of such pairs join).

    Pairs are proposed by sign hashes of the centred rows (random hyperplanes) and confirmed by their
    exact distance, so a group is never wrong; a pair at the very limit of the tolerance is missed with
    probability 0.0004.

    :param matrix: The matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param rng: The run's generator; draws `24 x 4` hyperplanes.
    :param tolerance: Largest distance, as a share of the median distance of rows from the mean row.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    V, d = matrix.shape
    fold = _folding(d, rng)
    planes = rng.standard_normal((min(d, _FOLDED), _BITS * _TABLES), dtype=np.float32)
    weights = np.left_shift(1, np.arange(_BITS, dtype=np.int64))
    keys = np.empty((V, _TABLES), dtype=np.int64)
    spread = np.empty(V, dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for start, block, centred in centred_blocks(matrix, statistics.mean_row):  # (n, d)
            spread[start : start + len(block)] = np.sqrt(np.einsum("ij,ij->i", centred, centred))
            bits = (fold(centred) @ planes) > 0  # (n, bits * tables)
            keys[start : start + len(block)] = bits.reshape(len(block), _TABLES, _BITS) @ weights
    usable = statistics.usable
    if not usable.any():
        return _from_labels(np.full(V, -1, dtype=np.int64))
    limit = tolerance * float(np.median(spread[usable]))
    left: list[npt.NDArray[np.int64]] = []
    right: list[npt.NDArray[np.int64]] = []
    for table in range(_TABLES):
        for batch in _batches(_buckets(keys[:, table], usable), block_rows(matrix)):
            _confirm_batch(matrix, batch, limit, left, right)
    if not left:
        return _from_labels(np.full(V, -1, dtype=np.int64))
    a, b = np.concatenate(left), np.concatenate(right)
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(V, V))
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return _from_labels(labels)


def _folding(d: int, rng: np.random.Generator) -> Callable[[Float32Array], Float32Array]:
    """Return a function of rows `(n, d)` that overwrites them and gives rows of at most `_FOLDED` columns."""
    if d <= _FOLDED:
        return lambda rows: rows
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), d)

    def fold(rows: Float32Array) -> Float32Array:
        rows *= signs
        folded = rows[:, :_FOLDED].copy()
        for first in range(_FOLDED, d, _FOLDED):
            part = rows[:, first : first + _FOLDED]
            folded[:, : part.shape[1]] += part
        return folded

    return fold


def _buckets(keys: npt.NDArray[np.int64], usable: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    """Return the sets of two or more usable rows with equal key."""
    rows = np.flatnonzero(usable)
    order = rows[np.argsort(keys[rows], kind="stable")]
    edges = np.concatenate([[0], np.flatnonzero(np.diff(keys[order])) + 1, [len(order)]])
    shared = np.flatnonzero(np.diff(edges) >= 2)  # most rows are alone, and a slice of each would cost
    return [order[edges[i] : edges[i + 1]] for i in shared.tolist()]


def _batches(buckets: list[npt.NDArray[np.int64]], most: int) -> Iterator[list[npt.NDArray[np.int64]]]:
    """Yield runs of buckets of at most `most` rows together, or a single larger one."""
    batch: list[npt.NDArray[np.int64]] = []
    size = 0
    for bucket in buckets:
        if batch and size + len(bucket) > most:
            yield batch
            batch, size = [], 0
        batch.append(bucket)
        size += len(bucket)
    if batch:
        yield batch


def _confirm_batch(
    matrix: RowMatrix,
    batch: list[npt.NDArray[np.int64]],
    limit: float,
    left: list[npt.NDArray[np.int64]],
    right: list[npt.NDArray[np.int64]],
) -> None:
    """Append the pairs of every bucket of `batch`, whose rows are read together."""
    ids = np.concatenate(batch)
    if len(ids) > block_rows(matrix):  # one bucket that is larger than a block
        _confirm_pairs(matrix, ids, limit, left, right)
        return
    rows = ArrayMatrix(matrix.gather(ids))
    known, place = len(left), 0
    for bucket in batch:
        _confirm_pairs(rows, np.arange(place, place + len(bucket)), limit, left, right)
        place += len(bucket)
    left[known:] = [ids[part] for part in left[known:]]
    right[known:] = [ids[part] for part in right[known:]]


def _confirm_pairs(
    matrix: RowMatrix,
    bucket: npt.NDArray[np.int64],
    limit: float,
    left: list[npt.NDArray[np.int64]],
    right: list[npt.NDArray[np.int64]],
) -> None:
    """Append the pairs (leader, row) of `bucket` that are within `limit` of each other."""
    rest = bucket
    for _ in range(_LEADERS):
        if len(rest) < 2:
            return
        leader = matrix.gather(rest[:1])  # (1, d)
        near = np.zeros(len(rest), dtype=bool)
        for start in range(0, len(rest), 4096):
            part = matrix.gather(rest[start : start + 4096]) - leader
            near[start : start + 4096] = np.einsum("ij,ij->i", part, part) <= limit * limit
        near[0] = False
        members = rest[near]
        if len(members):
            left.append(np.full(len(members), rest[0], dtype=np.int64))
            right.append(members)
        near[0] = True
        rest = rest[~near]
