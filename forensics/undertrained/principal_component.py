"""The first principal component of a matrix that does not fit in memory, and how far off it may be.

Block power iteration (Halko, Martinsson and Tropp 2011, section 4.5) on the centred rows: a sample of
rows gives the start, and each round reads the matrix once, because `C^T (C Q)` is accumulated block by
block. A small matrix gets three rounds. Of a large one, a round costs as much as everything else that is
read off it, so rounds end once the estimated angle to the true component is small; the estimate is
returned. It is that of Davis and Kahan (residual over gap, both from the round itself: Parlett 1998,
section 11.7), reduced by what the last multiplication takes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from forensics.matrices import KEPT_BYTES, RowMatrix, centred_blocks, centred_buffer
from forensics.progress import Progress
from forensics.undertrained.rows import RowStatistics

__all__ = ["PrincipalComponent", "first_principal_component", "leading_directions"]

#: Directions iterated together, rows of the sample that gives the start, and rounds over the whole
#: matrix. The sample's subspace is close already, and each round multiplies what is left of the
#: error by (lambda_9 / lambda_1)^2; on SmolLM2-135M the direction after 3 rounds has cosine
#: 1 - 1e-9 with that of a full eigendecomposition (tests/undertrained/test_principal_component.py
#: checks the like on matrices with known spectra).
_DIRECTIONS, _SAMPLE, _ROUNDS = 8, 4096, 3
#: Estimated angle, in radians, at which the rounds over a large matrix end: a cosine of 0.99995.
_CLOSE = 0.01
#: Norm of a row from which its square, summed over a vocabulary, may leave float32 (3.4e38).
_LARGEST_NORM = 1e15
#: Ratio of the two largest variances below which no direction stands out. More rounds would not settle
#: the component then, and what is the first of two equal ones means nothing.
_STANDS_OUT = 1.1


_FloatArray = TypeVar("_FloatArray", npt.NDArray[np.float32], npt.NDArray[np.float64])


@dataclass(frozen=True, eq=False)
class PrincipalComponent:
    """The direction along which rows vary most, and how well it is known."""

    #: Unit vector, shape (d,), float32; its largest component in absolute value is positive.
    direction: npt.NDArray[np.float32]
    #: Estimated angle to the true component, in radians; pi / 2 where no direction stands out.
    angle: float
    #: Rounds over the whole matrix.
    rounds: int
    #: Whether the rounds ended before `_ROUNDS` because the matrix is large.
    is_shortened: bool

    def remark(self) -> str | None:
        """Return a sentence for the report where the component was not iterated to the end."""
        if not self.is_shortened:
            return None
        if self.angle >= np.pi / 4:
            return (
                "No direction of the unembedding stands out in variance, so its first principal component "
                "(eout_cosine_no_pc1) is a matter of chance."
            )
        return (
            f"The first principal component of the unembedding comes from {_SAMPLE:,} rows and {self.rounds} "
            f"{'pass' if self.rounds == 1 else 'passes'} over the whole matrix; its estimated error is "
            f"{self.angle:.2g} radians."
        )


def first_principal_component(
    matrix: RowMatrix,
    statistics: RowStatistics,
    rng: np.random.Generator,
    progress: Progress | None = None,
    *,
    full_bytes: int = KEPT_BYTES,
) -> PrincipalComponent:
    """Return the direction along which the centred rows of `matrix` vary most.

    :param matrix: The matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`; unusable rows are left out.
    :param rng: The run's generator; draws the sample of rows that gives the start.
    :param progress: Where to report.
    :param full_bytes: Size as float32 up to which a matrix gets all rounds, in bytes.
    """
    usable = np.flatnonzero(statistics.usable)
    V, d = matrix.shape
    sample = np.sort(rng.choice(usable, size=min(_SAMPLE, len(usable)), replace=False))
    if len(sample) == 0:
        return PrincipalComponent(np.zeros(d, dtype=np.float32), np.pi / 2, 0, is_shortened=False)
    k = min(_DIRECTIONS, d, len(sample))
    scale = _scale(statistics.norms[usable])
    sampled = matrix.gather(sample)
    sampled -= statistics.mean_row
    sampled *= scale
    Q = leading_directions(sampled, k, rng)  # (d, k)
    del sampled
    may_stop = 4 * V * d > full_bytes
    angle, rounds, buffer = np.pi / 2, 0, centred_buffer(matrix)
    with (progress or Progress()).stage("principal component", total=_ROUNDS * V) as bar:
        for rounds in range(1, _ROUNDS + 1):  # noqa: B007 (the number of rounds is part of the answer)
            product = np.zeros((d, k), dtype=np.float64)
            for first, block, centred in centred_blocks(matrix, statistics.mean_row, buffer=buffer):
                good = statistics.usable[first : first + len(block)]
                rows = centred if good.all() else centred[good]
                if scale != 1:
                    rows *= scale
                product += rows.T @ (rows @ Q)
                bar.advance(len(block))
            product = _without_overflow(product)
            angle, stands_out = _estimated_angle(Q, product)
            left, _, _ = np.linalg.svd(product, full_matrices=False)
            Q = left.astype(np.float32)
            if may_stop and (angle < _CLOSE or not stands_out):
                break
    component = Q[:, 0] / np.linalg.norm(Q[:, 0])
    component = component * np.sign(component[np.argmax(np.abs(component))])
    return PrincipalComponent(np.asarray(component, dtype=np.float32), angle, rounds, rounds < _ROUNDS)


def _scale(norms: npt.NDArray[np.float32]) -> np.float32:
    """Return the factor that keeps sums of squares within float32; 1 for any matrix of a working model."""
    largest = float(norms.max())
    return np.float32(1) if largest <= _LARGEST_NORM else np.float32(1 / largest)


def _without_overflow(values: _FloatArray) -> _FloatArray:
    """Return the array with zeros where it is not finite, which no decomposition converges on."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, 0)


def _estimated_angle(Q: npt.NDArray[np.float32], product: npt.NDArray[np.float64]) -> tuple[float, bool]:
    """Return the estimated angle of the next direction to the true one, and whether one stands out.

    :param Q: Orthonormal directions before the round, shape `(d, k)`.
    :param product: `C^T C Q`, shape `(d, k)`.
    """
    projected = Q.T.astype(np.float64) @ product  # (k, k)
    values, axes = np.linalg.eigh((projected + projected.T) / 2)  # ascending
    largest, second = float(values[-1]), float(values[-2]) if len(values) > 1 else 0.0
    if not largest > max(0.0, _STANDS_OUT * second):
        return np.pi / 2, False
    residual = float(np.linalg.norm(product @ axes[:, -1] - largest * (Q @ axes[:, -1])))
    # One multiplication shrinks what points elsewhere by the ratio of the variances.
    return min(np.pi / 2, residual / (largest - second) * max(0.0, second) / largest), True


def leading_directions(
    rows: npt.NDArray[np.float32], k: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return about the first `k` right singular vectors of `rows`, shape `(d, k)`.

    :param rows: Rows in memory, shape `(n, d)`.
    :param k: How many, at most the smaller of `n` and `d`.
    :param rng: The run's generator; draws the start.
    """
    rows = _without_overflow(rows)
    if (scale := _scale(np.abs(rows).max(axis=1, initial=0))) != 1:
        rows = rows * scale
    Q = rng.standard_normal((rows.shape[1], k), dtype=np.float32)
    for _ in range(6):
        Q, _ = np.linalg.qr(rows.T @ (rows @ Q))
    # Rotate into the sample's principal axes so that the first column is the first component.
    _, _, axes = np.linalg.svd(rows @ Q, full_matrices=False)
    return np.asarray(Q @ axes.T, dtype=np.float32)
