"""The linear program of the source, with the pairs that matter found as they are needed.

Hayase et al. 2024 (arXiv 2407.16607, section 3.1): proportions alpha on the simplex such that at every
merge t the learned pair m_t is at least as frequent as every other pair p,

    sum_c alpha_c (count_c,t(m_t) - count_c,t(p)) + s_t + v_p >= 0,    minimise  sum_t s_t + sum_p v_p,

with a slack s_t per merge and v_p per pair. There are T times P such rows and few of them matter, so the
program is solved with those found so far, and the pairs above the learned one are looked for anew (section
3.2 does the same). What is added is not single rows but whole stretches of steps in which a pair keeps its
count, in a form (see `master`) that is equal and much smaller. Merges that occur in no text say nothing
about alpha and are left out.

As long as few pairs are known, the best proportions are far from where those pairs were found. So the search
is kept in a box around the best guess, which grows until its walls no longer matter: the program is convex,
and an optimum inside the box is the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forensics.mixture.highs_program import HighsMaster
from forensics.mixture.master import Master, Stretches
from forensics.mixture.pair_table import PairTable
from forensics.progress import Progress

__all__ = ["HighsMaster", "Master", "ProgramFit", "solve_program"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Counts are scaled to a mean of one; a pair this much above the learned one counts as violated.
TOLERANCE = 1e-7
#: Scaled counts below this are what is left of a sum that is zero.
REMAINDER = 1e-9
#: The search ends when the objective is within this share of the optimum.
GAP = 1e-4
#: Stretches added per merge in the first round, the most frequent; twice as many in every round after.
#: With few, there are many rounds; with many at once, the program is large before alpha is any good. From
#: 10 to 30 made no difference in benchmarks/mixture_speed.py, and neither did a box of 0.002 to 0.01.
RIVALS = 10
#: The most that are added per merge in a round.
MOST_RIVALS = 320
#: Half the width of the box around the start, and by what it grows when the optimum lies on a wall.
BOX, GROWTH = 0.005, 2.0
#: Rounds after which the search is given up; some 5 to 15 are needed.
MOST_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class ProgramFit:
    """The optimum of the program."""

    #: Proportions in units of the columns of W, shape (n,), sum to 1.
    alpha: FloatArray
    #: Slack of every merge in units of counts per text, shape (T,).
    merge_slack: FloatArray
    #: Slack of every pair of the table, shape (P,).
    pair_slack: FloatArray
    #: Total slack, in units of counts per text: a lower bound of the optimum, at most `gap` below it.
    objective: float
    #: Stretches in the program at the end.
    stretches: int
    #: Rounds of solving and searching.
    rounds: int
    #: How far the objective can be from the optimum, and how much worse than the optimum `alpha` can be, as
    #: a share of the objective; 0 where nothing is violated, infinite where the search was given
    #: up on a wall of its box.
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
    :param master: An unused solver, `HighsMaster` or `PulpMaster`.
    :param skip: Merges at the beginning of the list that are not explained.
    :param start: Proportions at which the search begins, e.g. those of the curve; default equal.
    :param gap: How close to the optimum to go, as a share of the objective; 0 for until nothing is violated.
    :param progress: Where to report.
    :raises ForensicsError: If the solver does not find an optimum.
    """
    progress = progress or Progress()
    n, scale = W.shape[1], float(W.mean()) or 1.0
    merges = np.flatnonzero((np.arange(len(W)) >= skip) & (W.sum(axis=1) > 0))
    search = _Search(W[merges] / scale, table, merges, scale)
    fit = ProgramFit(
        np.full(n, 1 / n) if start is None else start,
        np.zeros(len(merges)),
        np.zeros(len(table.keys)),
        *(0.0, 0, 0, np.inf),
    )
    known = np.zeros(len(table.start), dtype=bool)
    centre, box, walled = fit.alpha, BOX, False
    master.begin(search.learned, len(table.keys))
    with progress.stage("linear program", None, "rounds") as stage:
        while True:
            found, excess = search.violated(fit, min(RIVALS * 2**fit.rounds, MOST_RIVALS))
            # Raising the slack of every merge by its worst excess makes all rows hold: the optimum lies no
            # further away than their sum, unless a wall of the box keeps the program from a better place.
            open_gap = excess / fit.objective if fit.objective > 0 else float(excess > 0)
            fit = replace(fit, gap=np.inf if walled else open_gap)
            fresh = found[~known[found]]
            if fit.rounds == MOST_ROUNDS or (not walled and (open_gap <= gap or not len(fresh))):
                break
            if len(fresh):
                known[fresh] = True
                master.add(search.stretches(fresh))
            low, high = np.maximum(centre - box, 0.0), np.minimum(centre + box, 1.0)
            best = master.solve(low, high)
            walled = _on_wall(best.alpha, low, high)
            if walled:
                centre, box = best.alpha, box * GROWTH
            fit = replace(
                fit,
                alpha=best.alpha,
                merge_slack=best.merge_slack,
                pair_slack=best.pair_slack,
                objective=best.objective,
                stretches=int(known.sum()),
                rounds=fit.rounds + 1,
            )
            stage.advance(1, stretches=fit.stretches)
    if fit.rounds == MOST_ROUNDS and fit.gap > gap:
        progress.warn(
            f"the linear program was stopped after {MOST_ROUNDS} rounds, {fit.gap:.2g} off the optimum"
        )
    merge_slack = np.zeros(len(W))
    merge_slack[merges] = fit.merge_slack * scale
    return replace(
        fit, merge_slack=merge_slack, pair_slack=fit.pair_slack * scale, objective=fit.objective * scale
    )


def _on_wall(alpha: FloatArray, low: FloatArray, high: FloatArray) -> bool:
    """Return whether a bound that is narrower than 0 <= alpha <= 1 is reached."""
    below = (alpha <= low + TOLERANCE) & (low > 0)
    above = (alpha >= high - TOLERANCE) & (high < 1)
    return bool((below | above).any())


class _Search:
    """The search for pairs above the learned ones, among the merges asked about, in scaled counts."""

    def __init__(self, learned: FloatArray, table: PairTable, merges: IntArray, scale: float) -> None:
        self.learned = learned
        self._table, self._scale = table, scale
        # Steps are numbered among the merges asked about; stretches without one are empty.
        self._start = np.searchsorted(merges, table.start)
        self._stop = np.searchsorted(merges, table.stop)

    def violated(self, fit: ProgramFit, most: int) -> tuple[IntArray, float]:
        """Return the stretches that are violated, and the sum over the merges of the worst excess.

        :param fit: Proportions and slacks.
        :param most: Stretches per merge at most, the worst.
        """
        from forensics.mixture.rivals import find_rivals

        if not len(self.learned):
            return np.empty(0, dtype=np.int64), 0.0
        allowed = self.learned @ fit.alpha + fit.merge_slack
        value = self._table.values(fit.alpha) / self._scale - fit.pair_slack[self._table.pair]
        above = np.flatnonzero((value > allowed.min()) & (self._start < self._stop))
        order = above[np.argsort(-value[above], kind="stable")]
        chosen, excess = find_rivals(order, value, self._start, self._stop, allowed, most, TOLERANCE)
        # Less than the tolerance is what the solver leaves where it says that a row holds.
        return np.flatnonzero(chosen), float(excess[excess > TOLERANCE].sum())

    def stretches(self, events: IntArray) -> Stretches:
        """Return the stretches that begin with `events` of the table."""
        counts = self._table.counts(events) / self._scale
        counts[counts < REMAINDER] = 0.0
        return Stretches(self._table.pair[events], self._start[events], self._stop[events], counts)
