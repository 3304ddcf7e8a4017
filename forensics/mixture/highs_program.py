"""The linear program in HiGHS, which keeps its basis from one round to the next.

HiGHS is given the dual program, which it solves several times faster. It is a flow: every pair sends at most
one unit, through the stretches of its counts and the nodes of the tree over the merges (see `master`), to
merges that take at most one unit each, and a unit that reaches merge t from pair p earns
count(p) - count(m_t) in every category; what the category that earns least gets is made as large as possible.
New stretches are new ways for the flow, so the last optimum stays a point of the larger program. The
proportions and slacks are the multipliers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.errors import ForensicsError
from forensics.mixture.master import Optimum, Stretches, tree_cover, tree_links

__all__ = ["HighsMaster"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class HighsMaster:
    """The program with the stretches given so far, in HiGHS."""

    def __init__(self, *, threads: int = 1) -> None:
        """Begin without a program.

        :param threads: Threads that HiGHS may use.
        """
        import highspy

        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", threads)
        self._inf = highspy.kHighsInf
        self._optimal = highspy.HighsModelStatus.kOptimal

    def begin(self, learned: FloatArray, pairs: int) -> None:
        """State the program without any stretch (see `Master`).

        Rows are the proportions, then the nodes of the tree; columns are the multiplier of sum(alpha) = 1,
        those of the bounds of alpha, the flow into every merge, and the flow along every link of the tree.
        """
        steps, n = learned.shape
        self._steps, self._n = steps, n
        self._pair_row = np.full(pairs, -1, dtype=np.int64)
        self._add_rows(n + max(2 * steps - 1, 0))
        categories, ones = np.arange(n), np.ones(n)
        self._add_columns(np.zeros(n, dtype=np.int64), categories, ones, 1, low=-self._inf)
        self._add_columns(categories, categories, ones, n)
        self._add_columns(categories, categories, -ones, n)
        merge, category = np.nonzero(learned)
        self._add_columns(
            np.concatenate([merge, np.arange(steps)]),
            np.concatenate([category, self._node_row(steps + np.arange(steps))]),
            np.concatenate([learned[merge, category], -np.ones(steps)]),
            steps,
            high=1.0,
        )
        self._first_merge = 1 + 2 * n
        parent, child = tree_links(steps)
        self._add_links(self._node_row(parent), self._node_row(child))

    def add(self, stretches: Stretches) -> None:
        """Add stretches, with a row for each, and for each pair that has none yet."""
        count = len(stretches.pair)
        fresh = np.unique(stretches.pair[self._pair_row[stretches.pair] < 0])
        self._pair_row[fresh] = self._add_rows(len(fresh), low=-self._inf, high=1.0)
        own = self._add_rows(count)
        each, category = np.nonzero(stretches.counts)
        self._add_columns(
            np.concatenate([each, np.arange(count), np.arange(count)]),
            np.concatenate([category, self._pair_row[stretches.pair], own]),
            np.concatenate([-stretches.counts[each, category], np.ones(2 * count)]),
            count,
        )
        of, nodes = tree_cover(stretches.start, stretches.stop, self._steps)
        self._add_links(own[of], self._node_row(nodes))

    def solve(self, low: FloatArray, high: FloatArray) -> Optimum:
        """Return the optimum (see `Master`).

        :raises ForensicsError: If HiGHS finds no optimum.
        """
        highs, n = self._highs, self._n
        bounds = np.arange(1 + 2 * n, dtype=np.int32)
        highs.changeColsCost(len(bounds), bounds, np.concatenate([[-1.0], -low, high]))
        highs.run()
        status = highs.getModelStatus()
        if status != self._optimal:
            raise ForensicsError(f"HiGHS stopped without an optimum ({highs.modelStatusToString(status)})")
        solution = highs.getSolution()
        x = -np.append(np.array(solution.row_dual), 0.0)
        of_merges = np.array(solution.col_dual)[self._first_merge :][: self._steps]
        # Row -1 stands for a slack no stretch has asked for: the zero put at the end.
        return Optimum(
            x[:n],
            np.maximum(-of_merges, 0.0),
            x[self._pair_row],
            -float(highs.getInfo().objective_function_value),
        )

    def _node_row(self, node: IntArray) -> IntArray:
        return np.asarray(node - 1 + self._n, dtype=np.int64)

    def _add_rows(self, count: int, low: float = 0.0, high: float = 0.0) -> IntArray:
        """Add empty rows and return their numbers."""
        none = np.empty(0, dtype=np.int32)
        first = int(self._highs.getNumRow())
        self._highs.addRows(count, np.full(count, low), np.full(count, high), 0, none, none, np.empty(0))
        return first + np.arange(count, dtype=np.int64)

    def _add_links(self, above: IntArray, below: IntArray) -> None:
        """Add a column for the flow from each row of `above` to that of `below`."""
        column = np.arange(len(above))
        signs = np.repeat([-1.0, 1.0], len(above))
        self._add_columns(np.tile(column, 2), np.concatenate([above, below]), signs, len(above))

    def _add_columns(
        self,
        column: IntArray,
        row: IntArray,
        value: FloatArray,
        count: int,
        low: float = 0.0,
        high: float | None = None,
    ) -> None:
        """Add `count` columns without cost, their entries given one by one."""
        from scipy import sparse

        entries = sparse.csr_array((value, (column, row)), shape=(count, self._highs.getNumRow()))
        self._highs.addCols(
            count,
            np.zeros(count),
            np.full(count, low),
            np.full(count, self._inf if high is None else high),
            entries.nnz,
            entries.indptr[:-1].astype(np.int32),
            entries.indices.astype(np.int32),
            entries.data,
        )
