"""The linear program of the source, with its rows found as they are needed.

Hayase et al. 2024 (arXiv 2407.16607, section 3.1): proportions alpha on the simplex such that at every
merge t the learned pair m_t is at least as frequent as every other pair p,

    sum_c alpha_c (count_c,t(m_t) - count_c,t(p)) + s_t + v_p >= 0,    minimise  sum_t s_t + sum_p v_p,

with a slack s_t per merge and v_p per pair. There are T times P such rows and few of them matter, so the
program is solved with those found violated so far, and the pairs above the learned one are looked for
anew (section 3.2 does the same). Merges that occur in no text say nothing about alpha and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forensics.errors import ForensicsError
from forensics.mixture.pair_table import PairTable, RangeMinimum
from forensics.progress import Progress

__all__ = ["Master", "ProgramFit", "Row", "solve_program"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Counts are scaled to a mean of one; a pair this much above the learned one counts as violated.
TOLERANCE = 1e-7
#: The search ends when the objective is within this share of the optimum.
GAP = 1e-4
#: Rows added in a round at most, the most violated first.
MOST_ROWS = 20_000
#: Rounds after which the search is given up; some 10 to 20 are needed.
MOST_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class Row:
    """Rows of the program, in bulk."""

    #: Merge step of every row, shape (R,).
    step: IntArray
    #: Pair number of every row, shape (R,).
    pair: IntArray
    #: Count of the learned pair less that of the other, by category, shape (R, n).
    lead: FloatArray


class Master(Protocol):
    """A solver of the program with the rows given to it so far."""

    def add(self, rows: Row) -> None:
        """Add rows."""

    def solve(self) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Return alpha (n,), slack by merge (T,), slack by pair (P,), and the objective."""


@dataclass(frozen=True, eq=False)
class ProgramFit:
    """The optimum of the program."""

    #: Proportions in units of the columns of W, shape (n,), sum to 1.
    alpha: FloatArray
    #: Slack of every merge in units of counts per text, shape (T,).
    merge_slack: FloatArray
    #: Slack of every pair of the table, shape (P,).
    pair_slack: FloatArray
    #: Total slack, in units of counts per text.
    objective: float
    #: Rows generated.
    rows: int
    #: Rounds of solving and searching.
    rounds: int
    #: How far the objective can be from the optimum, as a share of it; 0 where nothing is violated.
    gap: float


def solve_program(
    W: FloatArray,
    table: PairTable,
    master: Master,
    *,
    skip: int = 0,
    start: FloatArray | None = None,
    gap: float = GAP,
    progress: Progress | None = None,
) -> ProgramFit:
    """Return the proportions of least total slack.

    :param W: Counts of the learned pairs by merge and category, per unit of text, shape (T, n).
    :param table: Counts of all pairs, same units.
    :param master: An empty solver, see `highs_master` and `pulp_program`.
    :param skip: Merges at the beginning of the list that are not explained.
    :param start: Proportions at which the search for rows begins, e.g. those of the curve; default equal.
    :param gap: How close to the optimum to go, as a share of the objective; 0 for until nothing is violated.
    :param progress: Where to report.
    :raises ForensicsError: If the solver does not find an optimum.
    """
    progress = progress or Progress()
    scale = float(W.mean()) or 1.0
    asked = (np.arange(len(W)) >= skip) & (W.sum(axis=1) > 0)
    alpha = np.full(W.shape[1], 1 / W.shape[1]) if start is None else start
    merge_slack, pair_slack = np.zeros(len(W)), np.zeros(len(table.keys))
    objective, rows, rounds, open_gap = 0.0, 0, 0, np.inf
    seen = np.empty(0, dtype=np.int64)
    with progress.stage("linear program", None, "rounds") as stage:
        while rounds < MOST_ROUNDS:
            rounds += 1
            events, steps, excess = _violated(W, table, asked, alpha, merge_slack, pair_slack, scale)
            # Raising the slack of every merge by its worst excess makes all rows hold: the optimum lies
            # no further away than their sum.
            open_gap = excess / objective if objective > 0 else float(excess > 0)
            codes = table.pair[events] * len(W) + steps
            fresh = ~np.isin(codes, seen)
            if (rows and open_gap <= gap) or not fresh.any():
                break
            events, steps = events[fresh], steps[fresh]
            seen = np.concatenate([seen, codes[fresh]])
            lead = (W[steps] - table.counts(events)) / scale
            master.add(Row(steps, table.pair[events], lead))
            rows += len(events)
            alpha, merge_slack, pair_slack, objective = master.solve()
            stage.advance(1, rows=rows)
    if rounds == MOST_ROUNDS:
        progress.warn(
            f"the linear program was stopped after {MOST_ROUNDS} rounds, {open_gap:.2g} off the optimum"
        )
    return ProgramFit(
        alpha, merge_slack * scale, pair_slack * scale, objective * scale, rows, rounds, open_gap
    )


def _violated(
    W: FloatArray,
    table: PairTable,
    asked: npt.NDArray[np.bool_],
    alpha: FloatArray,
    merge_slack: FloatArray,
    pair_slack: FloatArray,
    scale: float,
) -> tuple[IntArray, IntArray, float]:
    """Return violated events with their steps (the worst of every pair and of every step), and the excess.

    The excess is the sum over the merges of how far the worst pair stands above the learned one.
    """
    allowed = np.where(asked, W @ alpha / scale + merge_slack, np.inf)
    step = RangeMinimum(allowed).argmin(table.start, table.stop)
    excess = table.values(alpha) / scale - pair_slack[table.pair] - allowed[step]
    bad = np.flatnonzero(excess > TOLERANCE)
    order = bad[np.argsort(-excess[bad], kind="stable")]
    _, of_pair = np.unique(table.pair[order], return_index=True)
    _, of_step = np.unique(step[order], return_index=True)
    chosen = order[np.union1d(of_pair, of_step)[:MOST_ROWS]]
    return chosen, step[chosen], float(excess[order[of_step]].sum())


class HighsMaster:
    """The program in HiGHS, which keeps its basis from one round to the next."""

    def __init__(self, categories: int, steps: int, pairs: int, *, threads: int = 1) -> None:
        """Begin with proportions and slacks but no row.

        :param categories: Number of categories n.
        :param steps: Number of merges T.
        :param pairs: Number of pairs P.
        :param threads: Threads that HiGHS may use.
        """
        import highspy

        self._n, self._steps, self._pairs = categories, steps, pairs
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", threads)
        self._inf = highspy.kHighsInf
        self._optimal = highspy.HighsModelStatus.kOptimal
        for _ in range(categories):
            self._highs.addCol(0.0, 0.0, 1.0, 0, [], [])
        self._highs.addRow(1.0, 1.0, categories, np.arange(categories), np.ones(categories))
        # Slacks become columns when a row first needs them: most pairs never beat a learned one.
        self._step_column = np.full(steps, -1, dtype=np.int64)
        self._pair_column = np.full(pairs, -1, dtype=np.int64)

    def add(self, rows: Row) -> None:
        """Add rows, and the slacks they are the first to need."""
        steps, pairs = (
            self._columns(self._step_column, rows.step),
            self._columns(self._pair_column, rows.pair),
        )
        count, width = len(rows.step), self._n + 2
        index = np.empty((count, width), dtype=np.int32)
        index[:, : self._n] = np.arange(self._n)
        index[:, self._n], index[:, self._n + 1] = steps, pairs
        value = np.ones((count, width))
        value[:, : self._n] = rows.lead
        self._highs.addRows(
            count,
            np.zeros(count),
            np.full(count, self._inf),
            count * width,
            np.arange(0, count * width, width, dtype=np.int32),
            index.ravel(),
            value.ravel(),
        )

    def _columns(self, column: IntArray, wanted: IntArray) -> IntArray:
        """Return the columns of the `wanted` slacks, making those that are missing."""
        missing = np.unique(wanted[column[wanted] < 0])
        if len(missing):
            column[missing] = self._highs.getNumCol() + np.arange(len(missing))
            none = np.empty(0, dtype=np.int32)
            self._highs.addCols(
                len(missing),
                np.ones(len(missing)),
                np.zeros(len(missing)),
                np.full(len(missing), self._inf),
                0,
                none,
                none,
                np.empty(0),
            )
        return column[wanted]

    def solve(self) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Return alpha, the slacks and the objective.

        :raises ForensicsError: If HiGHS finds no optimum.
        """
        self._highs.run()
        status = self._highs.getModelStatus()
        if status != self._optimal:
            raise ForensicsError(
                f"HiGHS stopped without an optimum ({self._highs.modelStatusToString(status)})"
            )
        x = np.append(np.array(self._highs.getSolution().col_value), 0.0)
        # Column -1 stands for a slack no row has: the zero put at the end.
        return (
            x[: self._n],
            x[self._step_column],
            x[self._pair_column],
            float(self._highs.getInfo().objective_function_value),
        )
