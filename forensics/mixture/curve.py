"""The default inference: mixture counts of the learned merges must lie on one decreasing curve.

Training merges the most frequent pair at every step, so in the training data the count of the learned pair
at its own step falls along the list. With W (T x n) the counts of the learned pairs in every category's
text, each column per unit of text, and m = W alpha, the proportions alpha are found together with a
decreasing curve f:

    minimise  sum_t f_t^(1-gamma) |m_t - f_t| / max(m_t, f_t)  +  f_T^(1-gamma) sum_p max(0, 1 - f_T / q_p)

where q = R alpha are the counts of the pairs left over after the last merge, none of which may beat it.

The misfit is relative to the larger of two counts, because both are samples: f of the text the tokenizer was
trained on, m of the text that is given. Other documents have other words, so W is noisy far beyond a Poisson
count (its spread between blocks of a file is three to six times as large in source code, 1.5 to 2 times in
languages). A misfit relative to f alone is least where the large W_t fit, so a category whose documents
differ much was credited with too little (TeX with 0.31 where 0.48 was true; see tests/mixture/test_curve.py).
Relative to m alone would cure more of that, but lets merges decide that are absent here. On released lists
this one leans that way too: it finds 10 % of code in GPT-2's, counted in the demo text, where the linear
program finds 5 %.

Where the text is given by document, how much a count varies between the documents of a category is known
and sets its weight: one that differs wildly says little, however large it is. Between documents that do not
differ the weights are then those of a relative misfit.

This is the evidence of Hayase et al. 2024 (arXiv 2407.16607, section 3) seen from another side: their linear
program compares every learned pair with every other pair at its step, this one with the curve that all of
them follow. It needs no counts of other pairs along the way and is a small linear program.
benchmarks/mixture_accuracy.py compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, ForensicsError

__all__ = ["CurveFit", "fit_curve"]

FloatArray = npt.NDArray[np.float64]

#: The weight of a merge grows as its expected count^(1 - gamma): the spread grows with the square root.
GAMMA = 0.5
#: Relative deviation of a count from the curve that even alike documents leave; see results/mixtures.
LIKENESS = 0.1
#: Knots of the curve, spaced evenly in log(step + 10).
KNOTS = 20
#: Times the weights are set anew from the fitted counts and curve.
REWEIGHTINGS = 3
#: Left-over pairs that can never come near the curve are left out of the program.
LEFTOVER_MARGIN = 0.5
#: Left-over pairs that reach this share of the curve's end are taken into the program.
NEAR_END = 0.98


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A fitted mixture with its curve."""

    #: Proportions in units of the columns of W, shape (n,), sum to 1.
    alpha: FloatArray
    #: The curve at every merge, shape (T,), decreasing.
    curve: FloatArray
    #: W alpha, shape (T,).
    counts: FloatArray
    #: The least value of the objective.
    objective: float

    @property
    def misfit(self) -> float:
        """Mean deviation of a merge from the curve, in the units of the weights."""
        return self.objective / len(self.curve)


def fit_curve(
    W: FloatArray,
    leftovers: FloatArray,
    *,
    steps: npt.NDArray[np.integer] | None = None,
    form: FloatArray | None = None,
    variance: FloatArray | None = None,
) -> CurveFit:
    """Return the mixture whose counts best follow one decreasing curve.

    :param W: Counts of the learned pairs by merge and category, per unit of text, shape (T, n).
    :param leftovers: Counts of the pairs left after the last merge, same units, shape (P, n).
    :param steps: The number of every merge in the whole list, shape (T,); default 0, 1, 2, ...
    :param form: The curve but for its size, shape (T,), where it is known; then only its size is fitted.
    :param variance: Variance of every entry of W between documents, shape (T, n); default not known.
    :raises BadInputError: If fewer merges than categories occur in the text.
    """
    if len(W) < W.shape[1]:
        raise BadInputError(
            "the merge list",
            f"{len(W):,} merges occur in the text, for {W.shape[1]} categories",
            "give more text, or ask for more merges",
        )
    at = np.arange(len(W)) if steps is None else np.asarray(steps)
    scale = float(W.mean()) or 1.0
    W, leftovers = W / scale, leftovers / scale
    variance = None if variance is None else variance / scale**2
    if form is None:
        basis, start = _basis(at), _decreasing(W.mean(axis=1))
    else:
        basis, start = (form / form.mean())[:, None], form / form.mean()
    weights = 1 / np.maximum(start, start[start > 0].min()) ** GAMMA
    alpha = np.full(W.shape[1], 1 / W.shape[1])
    for _ in range(REWEIGHTINGS + 1):
        near = leftovers[leftovers.max(axis=1, initial=0) > LEFTOVER_MARGIN * start[-1]]
        hinge_weights = start[-1] ** (1 - GAMMA) / np.maximum(near @ alpha, start[-1])
        alpha, knots, objective = _solve_with_hinges(W, near, basis, weights, hinge_weights, alpha, start[-1])
        curve = basis @ knots
        floor = max(curve[-1], 1e-3 * float(np.median(curve)), 1e-12)
        start = np.maximum(curve, floor)
        weights = _weights(W @ alpha, start, None if variance is None else variance @ alpha**2)
    return CurveFit(alpha, curve * scale, (W @ alpha) * scale, objective)


def _weights(counts: FloatArray, curve: FloatArray, variance: FloatArray | None) -> FloatArray:
    """Return the weight of every merge, shape (T,): relative to the larger of count and curve.

    :param counts: Counts in the mixture, shape (T,).
    :param curve: The curve there.
    :param variance: Variance of the counts between documents; None takes them for Poisson.
    """
    larger = np.maximum(counts, curve)
    if variance is None:
        return np.asarray(curve ** (1 - GAMMA) / larger, dtype=np.float64)
    relative = variance / larger**2
    return np.asarray(1 / (larger * np.sqrt(relative + LIKENESS**2)), dtype=np.float64)


def _basis(at: npt.NDArray[np.integer]) -> FloatArray:
    """Return the values of the piecewise linear hat functions at every merge, shape (T, K)."""
    x = np.log(at + 10.0)
    knots = np.linspace(x[0], x[-1], min(KNOTS, max(2, len(at) // 10)))
    return np.stack([np.interp(x, knots, row) for row in np.eye(len(knots))], axis=1)


def _decreasing(values: FloatArray) -> FloatArray:
    """Return the closest decreasing sequence in least squares (pool adjacent violators)."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, increasing=False).x, dtype=np.float64)


def _solve_with_hinges(
    W: FloatArray,
    leftovers: FloatArray,
    basis: FloatArray,
    weights: FloatArray,
    hinge_weights: FloatArray,
    alpha: FloatArray,
    end: float,
) -> tuple[FloatArray, FloatArray, float]:
    """Solve the program with those left-over pairs in it that its optimum puts above the curve's end.

    The others cost nothing there, and they are nearly all: 4,000 of 245,000 matter for 98 categories and
    8,000 merges, where this takes a third of the time and the result is the same to the last digit.

    :param alpha: Proportions at which to begin, shape (n,).
    :param end: Where the curve ends there.
    """
    inside = leftovers @ alpha > NEAR_END * end
    while True:
        alpha, knots, objective = _solve(W, leftovers[inside], basis, weights, hinge_weights[inside])
        end, counts = float(basis[-1] @ knots), leftovers @ alpha
        if not (counts[~inside] > end * (1 + 1e-9)).any():
            return alpha, knots, objective
        inside |= counts > NEAR_END * end


def _solve(
    W: FloatArray, leftovers: FloatArray, basis: FloatArray, weights: FloatArray, hinge_weights: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Solve the program for given weights; return alpha, the values at the knots and the objective."""
    import highspy
    from scipy import sparse

    (T, n), K, P = W.shape, basis.shape[1], len(leftovers)
    # The primal has T + P absolute values; its dual has one bounded variable for each of them and only
    # one row per unknown (n + K), which the simplex method solves some ten times faster:
    #   max -lambda   s.t.  [W -basis]' D y + [R -basis_T]' d h + lambda [0 size] - [0 decreasing]' mu >= 0,
    #   -1 <= y <= 1, 0 <= h <= 1, mu >= 0;  alpha and the knots are the rows' multipliers.
    fit = np.hstack([W, -basis]) * weights[:, None]
    hinge = np.hstack([leftovers, np.tile(-basis[-1], (P, 1))]) * hinge_weights[:, None]
    # Fixing sum(alpha) = 1 would reward categories in which everything is rare; the size of the curve is
    # fixed instead, which makes the objective a relative misfit, and alpha is scaled afterwards.
    whole = np.concatenate([np.zeros(n), weights @ basis / (weights @ basis).sum()])[None]
    falling = np.hstack([np.zeros((K - 1, n)), np.eye(K - 1, K, 1) - np.eye(K - 1, K)])
    columns = sparse.csr_array(np.vstack([fit, hinge, whole, falling]))
    inf = highspy.kHighsInf
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = columns.shape
    program.col_cost_ = np.concatenate([np.zeros(T + P), [1.0], np.zeros(K - 1)])
    program.col_lower_ = np.concatenate([np.full(T, -1.0), np.zeros(P), [-inf], np.zeros(K - 1)])
    program.col_upper_ = np.concatenate([np.ones(T + P), [inf], np.full(K - 1, inf)])
    program.row_lower_ = np.zeros(n + K)
    program.row_upper_ = np.full(n + K, inf)
    # Row-wise storage of the transpose: the columns of the program are contiguous.
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = columns.indptr
    program.a_matrix_.index_ = columns.indices
    program.a_matrix_.value_ = columns.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise ForensicsError(
            "the curve could not be fitted: " + solver.modelStatusToString(solver.getModelStatus())
        )
    unknowns = np.abs(np.array(solver.getSolution().row_dual))
    alpha, knots = unknowns[:n], unknowns[n:]
    total = float(alpha.sum()) or 1.0
    return alpha / total, knots / total, -float(solver.getInfo().objective_function_value)
