"""Whether two checkpoints can have been trained from independent initialisations, from their weights.

Zhu, Ahmed, Kuditipudi and Liang 2025 (arXiv 2502.12292, sections 3.1 and 3.2; reference code
ahmeda14960/model-tracing, `tracing/statistics/csu.py` and `match.py`). Training treats the units of a layer
alike, so after two independent starts any pairing of A's units with B's is as likely as any other. The units
are paired by what they have in common (linear assignment); if a unit's partner tends to be the unit of the
same number, the starts were not independent. The p-value is that of Spearman's correlation between the two
numberings; the pairing being uniform under independence, it is exact up to Student's approximation.

- `columns`: coordinates of the residual stream, paired by the embedding rows of shared tokens (our addition
  of the same argument). Needs equal width; the tokenizers may differ.
- `units`: hidden units of one layer, paired by the rows of `up_proj`; layers combined by Fisher's method.
- `units_robust`: paired by `gate_proj` and by `up_proj` apart, and the two pairings compared. It survives
  permuted units; no exact p, though it behaves like one.

A permutation of *tokens* would be the wrong null: models that never met agree on which words are alike.
Equal seed and shapes give equal starts, which is dependence without descent. A rotation, free for whoever
has the weights, evades the first test and permuted units the second: "no evidence" says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix
from forensics.schema.compare import IndependenceTest, Pairing

__all__ = [
    "columns_test",
    "combine_layers",
    "log10_p_of_correlation",
    "matched_units",
    "not_testable",
    "units_robust_test",
    "units_test",
]

Float64Array = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

#: log10 p below which independence is rejected.
REJECT_BELOW = -3.0
#: Rows gathered at a time.
BLOCK_ROWS = 8192
#: Fewer units have no correlation to speak of.
FEWEST_UNITS = 8
_NOT_FINITE = "the weights hold numbers that are not finite"


_ASSUMES = {
    Pairing.COLUMNS: "both trained from independent draws, by rules that treat the coordinates alike",
    Pairing.UNITS: "both trained from independent draws, by rules that treat the hidden units alike",
    Pairing.UNITS_ROBUST: "as for units; the two pairings of one model pair are not exactly independent",
}


def columns_test(
    a: RowMatrix, b: RowMatrix, ids_a: Sequence[int] | Int64Array, ids_b: Sequence[int] | Int64Array
) -> IndependenceTest:
    """Return the test on the coordinates of the residual stream.

    :param a: Embedding of A, shape (V_A, d).
    :param b: Embedding of B, shape (V_B, d).
    :param ids_a: Ids of the shared tokens in A, shape (n,).
    :param ids_b: Ids of the same tokens, by bytes, in B, shape (n,).
    """
    width_a, width_b = a.shape[1], b.shape[1]
    if width_a != width_b:
        return not_testable(Pairing.COLUMNS, f"d {width_a} against {width_b}")
    if len(ids_a) <= width_a:
        return not_testable(Pairing.COLUMNS, f"{len(ids_a):,} shared tokens for {width_a:,} columns")
    correlations = _column_correlations(a, b, np.asarray(ids_a), np.asarray(ids_b))
    if not np.isfinite(correlations).all():
        return not_testable(Pairing.COLUMNS, _NOT_FINITE)
    partner = _assign(correlations)
    return _of_pairing(Pairing.COLUMNS, (), np.arange(len(partner)), partner)


def units_test(up_a: Float64Array, up_b: Float64Array, layer: int) -> IndependenceTest:
    """Return the test on the hidden units of one layer.

    :param up_a: `up_proj` of A, shape (units, d).
    :param up_b: `up_proj` of B in the same layer, shape (units, d).
    :param layer: The layer's number.
    """
    if up_a.shape != up_b.shape:
        return not_testable(Pairing.UNITS, f"{up_a.shape} against {up_b.shape}")
    if not (np.isfinite(up_a).all() and np.isfinite(up_b).all()):
        return not_testable(Pairing.UNITS, _NOT_FINITE)
    partner = matched_units(up_a, up_b)
    return _of_pairing(Pairing.UNITS, (layer,), np.arange(len(partner)), partner)


def units_robust_test(
    gate: tuple[Float64Array, Float64Array], up: tuple[Float64Array, Float64Array], layer: int
) -> IndependenceTest:
    """Return the test that survives permuted hidden units.

    :param gate: `gate_proj` of A and B, shape (units, d) each.
    :param up: `up_proj` of A and B, shape (units, d) each.
    :param layer: The layer's number.
    """
    for one, other in (gate, up):
        if one.shape != other.shape:
            return not_testable(Pairing.UNITS_ROBUST, f"{one.shape} against {other.shape}")
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            return not_testable(Pairing.UNITS_ROBUST, _NOT_FINITE)
    return _of_pairing(Pairing.UNITS_ROBUST, (layer,), matched_units(*gate), matched_units(*up))


def combine_layers(tests: Sequence[IndependenceTest]) -> IndependenceTest:
    """Return the tests of several layers as one, by Fisher's method; give at most one test per layer.

    :param tests: Tests of one kind; those that could not be tested are left out.
    """
    from scipy.special import gammaln, logsumexp

    tested = [test for test in tests if test.log10_p is not None and test.statistic is not None]
    if not tested:
        return tests[0]
    # -2 sum ln p is chi-squared with 2k degrees; its tail is that of a Poisson law, exact in log space.
    half = -sum(test.log10_p or 0.0 for test in tested) * np.log(10)
    terms = np.arange(len(tested))
    log_terms = terms * np.log(half) - gammaln(terms + 1) if half > 0 else np.where(terms == 0, 0.0, -np.inf)
    log10_p = float((logsumexp(log_terms) - half) / np.log(10))
    return _test(
        tested[0].test,
        tuple(layer for test in tested for layer in test.layers),
        float(np.mean([test.statistic for test in tested])),
        min(log10_p, 0.0),
    )


def matched_units(one: Float64Array, other: Float64Array) -> Int64Array:
    """Return for every row of `one` the row of `other` paired with it, by cosine, shape (units,)."""
    return _assign(_normed(one) @ _normed(other).T)


def log10_p_of_correlation(correlation: float, count: int) -> float:
    """Return log10 of the one-sided p-value of a rank correlation, in log space.

    With t = r sqrt((n - 2) / (1 - r^2)), P(T > t) is half the incomplete beta function at 1 - r^2, of which
    the logarithm stays finite where the probability itself is 0 in double precision. No p is below that of
    one permutation in n!.

    :param correlation: Spearman's r.
    :param count: Pairs n.
    """
    from scipy.special import betaln, gammaln, hyp2f1
    from scipy.stats import t

    least = float(-gammaln(count + 1) / np.log(10))
    rest = 1 - correlation**2
    if rest <= 0:
        return least if correlation > 0 else 0.0
    freedom = count - 2
    if correlation <= 0.5:
        p = float(t.sf(correlation * np.sqrt(freedom / rest), freedom))
        if p > 1e-200:
            return max(float(np.log10(p)), least)
    a = freedom / 2
    log_p = a * np.log(rest) - np.log(a) - betaln(a, 0.5) + np.log(hyp2f1(a, 0.5, a + 1, rest)) - np.log(2)
    return max(float(log_p / np.log(10)), least)


def not_testable(test: Pairing, why: str) -> IndependenceTest:
    """Return a test that could not be made, with its reason."""
    return IndependenceTest(
        test, (), None, None, test is not Pairing.UNITS_ROBUST, _ASSUMES[test], f"not testable ({why})"
    )


def _of_pairing(
    test: Pairing, layers: tuple[int, ...], one: Int64Array, other: Int64Array
) -> IndependenceTest:
    if len(one) < FEWEST_UNITS:
        return not_testable(test, f"{len(one)} units")
    # Both are numberings without ties, so Spearman's correlation is Pearson's.
    correlation = float(np.corrcoef(one, other)[0, 1])
    return _test(test, layers, correlation, log10_p_of_correlation(correlation, len(one)))


def _test(test: Pairing, layers: tuple[int, ...], statistic: float, log10_p: float) -> IndependenceTest:
    p = f"1e{log10_p:.0f}" if log10_p < -4 else f"{10**log10_p:.2g}"
    verdict = f"not independent (p {p})" if log10_p < REJECT_BELOW else "no evidence"
    exact = test is not Pairing.UNITS_ROBUST
    return IndependenceTest(test, layers, statistic, log10_p, exact, _ASSUMES[test], verdict)


def _column_correlations(a: RowMatrix, b: RowMatrix, ids_a: Int64Array, ids_b: Int64Array) -> Float64Array:
    """Return the correlation of every column of A with every column of B over the shared tokens, (d, d)."""
    width = a.shape[1]
    products = np.zeros((width, width))
    sums = np.zeros((2, width))
    squares = np.zeros((2, width))
    for start in range(0, len(ids_a), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        one, other = (matrix.gather(ids[part]).astype(np.float64) for matrix, ids in ((a, ids_a), (b, ids_b)))
        products += one.T @ other
        sums += [one.sum(0), other.sum(0)]
        squares += [(one**2).sum(0), (other**2).sum(0)]
    count = len(ids_a)
    means = sums / count
    spread = np.sqrt(np.maximum(squares / count - means**2, 0))
    spread[spread == 0] = 1  # a column that never changes correlates with none
    centred = products / count - np.outer(means[0], means[1])
    return np.asarray(centred / np.outer(spread[0], spread[1]))


def _normed(rows: Float64Array) -> Float64Array:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms == 0, 1, norms))


def _assign(likeness: Float64Array) -> Int64Array:
    """Return for every row its partner in the pairing of the largest total likeness."""
    from scipy.optimize import linear_sum_assignment

    return np.asarray(linear_sum_assignment(likeness, maximize=True)[1], dtype=np.int64)
