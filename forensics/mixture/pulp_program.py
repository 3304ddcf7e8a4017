"""The same linear program through PuLP: any solver PuLP knows, and a file of the model.

Slower than the HiGHS interface, since every round states the whole program again; meant for checking one
solver against another and for those who have a commercial one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import ForensicsError, OptionError
from forensics.mixture.master import Optimum, Stretches, tree_cover, tree_links

__all__ = ["PulpMaster", "pulp_solver"]

FloatArray = npt.NDArray[np.float64]


def pulp_solver(name: str) -> Any:
    """Return PuLP's solver of that name, matched without regard to case (`cbc`, `highs`, `gurobi`, ...).

    :raises OptionError: If PuLP does not know it or cannot find it on this machine.
    """
    import pulp

    wanted = {"cbc": "PULP_CBC_CMD", "highs": "HiGHS"}.get(name.lower(), name)
    by_name = {known.lower(): known for known in pulp.listSolvers()}
    available = pulp.listSolvers(onlyAvailable=True)
    found = by_name.get(wanted.lower()) or by_name.get(f"{wanted.lower()}_cmd")
    if found not in available:
        raise OptionError(
            "solver", f"PuLP has no solver {name!r} here", f"available: highs, {', '.join(available)}"
        )
    return pulp.getSolver(found, msg=False)


class PulpMaster:
    """The program as a PuLP problem, in the form that `master` describes."""

    def __init__(self, solver: Any) -> None:
        """Begin without a program.

        :param solver: One of PuLP's, see `pulp_solver`.
        """
        import pulp

        self._pulp = pulp
        self._solver = solver
        self.problem = pulp.LpProblem("data_mixture", pulp.LpMinimize)

    def begin(self, learned: FloatArray, pairs: int) -> None:
        """State the program without any stretch (see `Master`)."""
        variable = self._pulp.LpVariable
        steps, categories = learned.shape
        self._pairs, self._count = pairs, 0
        self._alpha = [variable(f"alpha_{c}", 0, 1) for c in range(categories)]
        self._merge_slack = [variable(f"s_{t}", 0) for t in range(steps)]
        self._pair_slack: dict[int, Any] = {}
        # Node 0 does not exist; the leaf of step t is node steps + t.
        self._node = [None, *(variable(f"z_{q}") for q in range(1, 2 * steps))]
        self.problem += self._pulp.lpSum(self._alpha) == 1, "whole"
        for step, counts in enumerate(learned):
            leaf = self._node[steps + step]
            self._at_least(leaf, self._count_of(counts) + self._merge_slack[step], f"learned_{step}")
        for parent, child in zip(*(each.tolist() for each in tree_links(steps)), strict=True):
            self._at_least(self._node[parent], self._node[child], f"least_{child}")

    def add(self, stretches: Stretches) -> None:
        """Add stretches, and the slacks they are the first to need."""
        numbers = range(self._count, self._count + len(stretches.pair))
        own = [self._pulp.LpVariable(f"x_{number}") for number in numbers]
        for number, x, pair, counts in zip(
            numbers, own, stretches.pair.tolist(), stretches.counts, strict=True
        ):
            if pair not in self._pair_slack:
                self._pair_slack[pair] = self._pulp.LpVariable(f"v_{pair}", 0)
            self._at_least(self._count_of(counts), x + self._pair_slack[pair], f"pair_{number}")
        cover = tree_cover(stretches.start, stretches.stop, len(self._merge_slack))
        for of, node in zip(*(each.tolist() for each in cover), strict=True):
            self._at_least(own[of], self._node[node], f"stretch_{numbers[of]}_{node}")
        self._count = numbers.stop

    def solve(self, low: FloatArray, high: FloatArray) -> Optimum:
        """Return the optimum (see `Master`).

        :raises ForensicsError: If the solver finds no optimum.
        """
        self._bound(low, high)
        self.problem.setObjective(self._pulp.lpSum([*self._merge_slack, *self._pair_slack.values()]))
        self.problem.solve(self._solver)
        status = self._pulp.LpStatus[self.problem.status]
        if status != "Optimal":
            raise ForensicsError(f"{type(self._solver).__name__} stopped without an optimum ({status})")
        merge_slack = np.array([variable.value() or 0.0 for variable in self._merge_slack])
        pair_slack = np.zeros(self._pairs)
        for pair, variable in self._pair_slack.items():
            pair_slack[pair] = variable.value() or 0.0
        alpha = np.array([variable.value() or 0.0 for variable in self._alpha])
        return Optimum(alpha, merge_slack, pair_slack, float(merge_slack.sum() + pair_slack.sum()))

    def write(self, path: Path) -> None:
        """Write the program with all stretches found to `path`: MPS if it ends in `.mps`, else LP format."""
        # The box of the search is no part of the program.
        self._bound(np.zeros(len(self._alpha)), np.ones(len(self._alpha)))
        if path.suffix == ".mps":
            self.problem.writeMPS(str(path))
        else:
            self.problem.writeLP(str(path))

    def _count_of(self, counts: FloatArray) -> Any:
        """Return the mixture's count as an expression."""
        return self._pulp.LpAffineExpression(
            [(alpha, value) for alpha, value in zip(self._alpha, counts.tolist(), strict=True) if value]
        )

    def _at_least(self, less: Any, more: Any, name: str) -> None:
        """Add a row."""
        self.problem += more - less >= 0, name

    def _bound(self, low: FloatArray, high: FloatArray) -> None:
        """Keep the proportions between `low` and `high`."""
        for variable, least, most in zip(self._alpha, low.tolist(), high.tolist(), strict=True):
            variable.lowBound, variable.upBound = least, most
