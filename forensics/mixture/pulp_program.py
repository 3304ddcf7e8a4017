"""The same linear program through PuLP: any solver PuLP knows, and a file of the model.

Slower than the HiGHS interface, since every round states the whole program again; meant for checking one
solver against another and for those who have a commercial one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, ForensicsError
from forensics.mixture.linear_program import Row

__all__ = ["PulpMaster", "pulp_solver"]

FloatArray = npt.NDArray[np.float64]


def pulp_solver(name: str) -> Any:
    """Return PuLP's solver of that name, matched without regard to case (`cbc`, `highs`, `gurobi`, ...).

    :raises BadInputError: If PuLP does not know it or cannot find it on this machine.
    """
    import pulp

    wanted = {"cbc": "PULP_CBC_CMD", "highs": "HiGHS"}.get(name.lower(), name)
    by_name = {known.lower(): known for known in pulp.listSolvers()}
    available = pulp.listSolvers(onlyAvailable=True)
    found = by_name.get(wanted.lower()) or by_name.get(f"{wanted.lower()}_cmd")
    if found not in available:
        raise BadInputError(
            "--solver", f"PuLP has no solver {name!r} here", f"available: highs, {', '.join(available)}"
        )
    return pulp.getSolver(found, msg=False)


class PulpMaster:
    """The program as a PuLP problem."""

    def __init__(self, categories: int, steps: int, pairs: int, solver: Any) -> None:
        """Begin with proportions and no row.

        :param categories: Number of categories n.
        :param steps: Number of merges T.
        :param pairs: Number of pairs P.
        :param solver: One of PuLP's, see `pulp_solver`.
        """
        import pulp

        self._pulp = pulp
        self._solver = solver
        self._steps, self._pairs = steps, pairs
        self.problem = pulp.LpProblem("data_mixture", pulp.LpMinimize)
        self._alpha = [pulp.LpVariable(f"alpha_{c}", 0, 1) for c in range(categories)]
        self._merge_slack: dict[int, Any] = {}
        self._pair_slack: dict[int, Any] = {}
        self.problem += pulp.lpSum(self._alpha) == 1, "whole"
        self._count = 0

    def add(self, rows: Row) -> None:
        """Add rows, and the slacks they are the first to need."""
        for step, pair, lead in zip(rows.step.tolist(), rows.pair.tolist(), rows.lead.tolist(), strict=True):
            s = self._merge_slack.setdefault(step, self._variable(self._merge_slack, "s", step))
            v = self._pair_slack.setdefault(pair, self._variable(self._pair_slack, "v", pair))
            terms = [(variable, value) for variable, value in zip(self._alpha, lead, strict=True) if value]
            self.problem += self._pulp.LpAffineExpression([*terms, (s, 1), (v, 1)]) >= 0, f"row_{self._count}"
            self._count += 1
        slacks = [*self._merge_slack.values(), *self._pair_slack.values()]
        self.problem.setObjective(self._pulp.lpSum(slacks))

    def _variable(self, known: dict[int, Any], letter: str, number: int) -> Any:
        """Return the slack `number`, a new one if it is not known."""
        return known.get(number) or self._pulp.LpVariable(f"{letter}_{number}", 0)

    def solve(self) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Return alpha, the slacks and the objective.

        :raises ForensicsError: If the solver finds no optimum.
        """
        self.problem.solve(self._solver)
        status = self._pulp.LpStatus[self.problem.status]
        if status != "Optimal":
            raise ForensicsError(f"{type(self._solver).__name__} stopped without an optimum ({status})")
        merge_slack, pair_slack = np.zeros(self._steps), np.zeros(self._pairs)
        for step, variable in self._merge_slack.items():
            merge_slack[step] = variable.value() or 0.0
        for pair, variable in self._pair_slack.items():
            pair_slack[pair] = variable.value() or 0.0
        alpha = np.array([variable.value() or 0.0 for variable in self._alpha])
        return alpha, merge_slack, pair_slack, float(merge_slack.sum() + pair_slack.sum())

    def write(self, path: Path) -> None:
        """Write the program with all rows found to `path`: MPS if it ends in `.mps`, else LP format."""
        if path.suffix == ".mps":
            self.problem.writeMPS(str(path))
        else:
            self.problem.writeLP(str(path))
