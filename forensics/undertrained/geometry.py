"""The shape of an embedding matrix in a dozen numbers: context for a report, never a verdict.

None of these numbers says anything about a token, and between a model and its derivative they are nearly
equal. Formulas: IsoScore after Rudman et al. 2022 (arXiv 2108.07344), which is (participation ratio - 1) /
(d - 1) exactly, so one is computed and both are named; the partition function ratio of Mu and Viswanath 2018
(arXiv 1702.01417); TwoNN after Facco et al. 2017, on the lower 90 % of the ratios; the mean of 1/d after
Levina and Bickel 2004; ratio dimension in the median form of GRIDE (Denti et al. 2022), which needs no
solver. NC2 (Papyan et al. 2020) is taken of the rows alone.

Rows that are equal bit for bit are left out but for one of each group and counted, because a distance of
zero wrecks every dimension. Dimension also grows with quantisation: compare equal storage types only. Left
out: NC1, NC3 and NC4, which need the model over text, and DADApy, which would bring jax.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix

__all__ = ["SCALES", "Geometry", "iso_score", "matrix_geometry", "mean_cosine_of_rows", "two_nn"]

#: Scales of the ratio dimension: the n-th against the 2n-th neighbour.
SCALES = (1, 4, 16, 64)
#: Neighbours of the dimension after Levina and Bickel.
_NEAR, _FAR = 20, 100
#: Rows whose neighbours are sought, pairs of the NC2 cosines, rows read at a time.
_SAMPLE, _PAIRS, _CHUNK = 1000, 200_000, 8192
#: Share of the ratios that TwoNN uses; the largest are the least reliable.
_KEPT_RATIOS = 0.9


@dataclass(frozen=True)
class Geometry:
    """Numbers about all rows together."""

    #: Rows that took part, and rows left out: equal to another bit for bit, or without a direction.
    rows: int
    rows_left_out: int
    #: Mean cosine between two rows.
    mean_cosine: float
    #: Length of the mean row, in units of the root mean square norm.
    mean_row: float
    #: IsoScore, 1 for a ball and 0 for a line, and the participation ratio it stands for.
    iso_score: float
    participation_ratio: float
    #: Directions that hold 90 % of the variance.
    rank_90: int
    #: Smallest over largest partition function along the eigenvectors; 1 where all directions are alike.
    partition_ratio: float
    #: NC2 of the rows: coefficient of variation of the centred norms, spread of the centred cosines, and what
    #: that spread is for random directions.
    norm_variation: float
    cosine_spread: float
    cosine_spread_random: float
    #: Intrinsic dimension by three methods; NaN for fewer rows than the neighbours they need.
    two_nn: float
    levina_bickel_20: float
    levina_bickel_100: float
    #: Ratio dimension at each of `SCALES`.
    ratio_dimension: tuple[float, ...]

    def as_dict(self) -> dict[str, float | int | list[float] | None]:
        """Return plain data for a summary; NaN becomes None."""
        plain: dict[str, float | int | list[float] | None] = {}
        for name, value in asdict(self).items():
            if isinstance(value, tuple):
                plain[name] = list(value)
            else:
                plain[name] = None if isinstance(value, float) and math.isnan(value) else value
        return plain


def matrix_geometry(matrix: RowMatrix, distinct: npt.NDArray[np.bool_], rng: np.random.Generator) -> Geometry:
    """Return the geometry of the rows of `matrix`.

    :param matrix: The matrix, shape `(V, d)`.
    :param distinct: Usable rows, one of each group that is equal bit for bit, shape `(V,)`.
    :param rng: The run's generator; draws rows and pairs.
    """
    ids = np.flatnonzero(distinct)
    d = matrix.shape[1]
    moments = _moments(matrix, ids)
    covariance = moments.gram / len(ids) - np.outer(moments.mean, moments.mean)
    variances = np.clip(np.linalg.eigvalsh(covariance)[::-1], 0, None)
    share = np.cumsum(variances) / max(variances.sum(), 1e-30)
    rms = math.sqrt(float(np.trace(moments.gram)) / len(ids))
    spread = _centred(matrix, ids, moments.mean, rng)
    distances = _neighbour_distances(matrix, ids, rng)
    near, far = (_levina_bickel(distances, k) for k in (_NEAR, _FAR))
    return Geometry(
        rows=len(ids),
        rows_left_out=len(distinct) - len(ids),
        mean_cosine=_mean_cosine(moments.unit_sum, len(ids)),
        mean_row=float(np.linalg.norm(moments.mean)) / max(rms, 1e-30),
        iso_score=iso_score(variances),
        participation_ratio=_participation(variances),
        rank_90=int(np.searchsorted(share, 0.9) + 1),
        partition_ratio=_partition_ratio(matrix, ids, moments.gram),
        norm_variation=spread[0],
        cosine_spread=spread[1],
        cosine_spread_random=1 / math.sqrt(d),
        two_nn=two_nn(distances),
        levina_bickel_20=near,
        levina_bickel_100=far,
        ratio_dimension=tuple(_ratio_dimension(distances, n) for n in SCALES),
    )


def mean_cosine_of_rows(rows: npt.NDArray[np.floating]) -> float:
    """Return the mean cosine between two different rows, without comparing all pairs."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return _mean_cosine(units.sum(axis=0, dtype=np.float64), len(rows))


def iso_score(variances: npt.NDArray[np.floating]) -> float:
    """Return IsoScore from the eigenvalues of a covariance matrix, in [0, 1].

    >>> iso_score(np.ones(4)), iso_score(np.array([1.0, 0.0]))
    (1.0, 0.0)
    """
    d = len(variances)
    return (_participation(variances) - 1) / (d - 1) if d > 1 else 1.0


def two_nn(distances: npt.NDArray[np.floating]) -> float:
    """Return the dimension that the ratios of second to first neighbour follow.

    :param distances: Distances of each point to its neighbours, ascending, itself left out, shape (n, k).
    """
    if distances.shape[1] < 2 or not len(distances):
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = distances[:, 1] / distances[:, 0]
    ratios = np.sort(ratios[np.isfinite(ratios) & (ratios > 1)])
    kept = int(_KEPT_RATIOS * len(ratios))
    if kept < 2:
        return math.nan
    x = np.log(ratios[:kept])
    y = -np.log1p(-np.arange(1, kept + 1) / (len(ratios) + 1))
    return float((x @ y) / (x @ x))


@dataclass(frozen=True, eq=False)
class _Moments:
    mean: npt.NDArray[np.float64]
    #: Sum of outer products, shape (d, d).
    gram: npt.NDArray[np.float64]
    #: Sum of the unit rows, shape (d,).
    unit_sum: npt.NDArray[np.float64]


def _moments(matrix: RowMatrix, ids: npt.NDArray[np.int64]) -> _Moments:
    d = matrix.shape[1]
    total, units, gram = np.zeros(d), np.zeros(d), np.zeros((d, d))
    for start in range(0, len(ids), _CHUNK):
        rows = matrix.gather(ids[start : start + _CHUNK])
        total += rows.sum(axis=0, dtype=np.float64)
        units += (rows / np.linalg.norm(rows, axis=1, keepdims=True)).sum(axis=0, dtype=np.float64)
        wide = rows.astype(np.float64)
        gram += wide.T @ wide
    return _Moments(total / len(ids), gram, units)


def _mean_cosine(unit_sum: npt.NDArray[np.float64], n: int) -> float:
    return (float(unit_sum @ unit_sum) - n) / (n * (n - 1)) if n > 1 else math.nan


def _participation(variances: npt.NDArray[np.floating]) -> float:
    wide = np.asarray(variances, dtype=np.float64)
    return float(wide.sum() ** 2 / max((wide**2).sum(), 1e-300))


def _partition_ratio(matrix: RowMatrix, ids: npt.NDArray[np.int64], gram: npt.NDArray[np.float64]) -> float:
    """Return min Z(c) / max Z(c), Z(c) being the sum of exp(row . c) over rows.

    The directions c are the eigenvectors of the Gram matrix and their negatives.
    """
    vectors = np.linalg.eigh(gram)[1]
    logs: list[npt.NDArray[np.float64]] = []
    for start in range(0, len(ids), _CHUNK):
        projected = matrix.gather(ids[start : start + _CHUNK]).astype(np.float64) @ vectors  # (n, d)
        logs.append(np.concatenate([np.logaddexp.reduce(s * projected, axis=0) for s in (1, -1)]))
    # In logs: a row of norm 800 would overflow float64.
    log_z = np.logaddexp.reduce(np.stack(logs), axis=0)
    return float(np.exp(log_z.min() - log_z.max()))


def _centred(
    matrix: RowMatrix, ids: npt.NDArray[np.int64], mean: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[float, float]:
    """Return the coefficient of variation of the centred norms and the spread of the centred cosines."""
    norms = np.empty(len(ids))
    centre = mean.astype(np.float32)
    for start in range(0, len(ids), _CHUNK):
        norms[start : start + _CHUNK] = np.linalg.norm(
            matrix.gather(ids[start : start + _CHUNK]) - centre, axis=1
        )
    cosines = []
    left, right = rng.integers(0, len(ids), size=(2, _PAIRS))
    pairs = np.stack([left, right])[:, left != right]
    for start in range(0, pairs.shape[1], _CHUNK):
        a, b = pairs[:, start : start + _CHUNK]
        rows = [matrix.gather(ids[x]) - centre for x in (a, b)]
        cosines.append(np.einsum("ij,ij->i", *rows) / np.maximum(norms[a] * norms[b], 1e-30))
    spread = float(np.concatenate(cosines).std()) if cosines else math.nan
    return float(norms.std() / max(norms.mean(), 1e-30)), spread


def _neighbour_distances(
    matrix: RowMatrix, ids: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return distances from some random rows to their nearest rows, ascending, itself left out, (n, k)."""
    k = min(max(_FAR, 2 * max(SCALES)), len(ids) - 1)
    asked = np.sort(rng.choice(len(ids), size=min(_SAMPLE, len(ids)), replace=False))
    rows = matrix.gather(ids[asked])  # (n, d)
    squares = np.einsum("ij,ij->i", rows, rows)
    best = np.empty((len(asked), 0), dtype=np.float32)
    for start in range(0, len(ids), _CHUNK):
        block = matrix.gather(ids[start : start + _CHUNK])
        found = squares[:, None] + np.einsum("ij,ij->i", block, block) - 2 * rows @ block.T
        inside = np.flatnonzero((asked >= start) & (asked < start + len(block)))
        found[inside, asked[inside] - start] = np.inf
        best = np.concatenate([best, found], axis=1)
        if best.shape[1] > k:
            best = np.partition(best, k - 1, axis=1)[:, :k]
    return np.sqrt(np.sort(np.maximum(best, 0), axis=1).astype(np.float64))


def _levina_bickel(distances: npt.NDArray[np.float64], k: int) -> float:
    """Return the dimension from the mean of 1/d over points (MacKay and Ghahramani's average)."""
    if distances.shape[1] < k:
        return math.nan
    r = np.maximum(distances[:, :k], 1e-12)
    inverse = np.log(r[:, -1:] / r[:, :-1]).sum(axis=1) / (k - 2)
    return float(1 / max(inverse.mean(), 1e-30))


def _ratio_dimension(distances: npt.NDArray[np.float64], n: int) -> float:
    """Return ln 2 over the median log ratio of the 2n-th to the n-th distance."""
    if distances.shape[1] < 2 * n:
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(distances[:, 2 * n - 1] / distances[:, n - 1])
    middle = float(np.median(ratios[np.isfinite(ratios)])) if np.isfinite(ratios).any() else 0.0
    return math.log(2) / middle if middle > 0 else math.nan
