"""The shape of a scan's embedding matrix: context, never a verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.progress import Progress
from forensics.runs.scan.examined import Examined
from forensics.schema.scan import GeometrySummary

__all__ = ["MatrixShape", "matrix_shape"]

#: Random rows whose neighbourhood is tested besides the candidates.
_TESTED = 1000


@dataclass(frozen=True, eq=False)
class MatrixShape:
    """What the embedding matrix looks like."""

    geometry: GeometrySummary
    #: p of a change of density around a row, NaN where it was not tested, shape (V,).
    fiber_p: npt.NDArray[np.float32]


def matrix_shape(examined: Examined, seed: int, progress: Progress) -> MatrixShape | None:
    """Return the geometry of the embedding matrix; None for fewer rows than the neighbours it wants.

    It has a generator of its own, so that no other number of a scan changes with it.

    :param examined: The sources and what the weights tell.
    :param seed: The run's seed.
    :param progress: Where to report.
    """
    from forensics.undertrained.fiber_test import NEIGHBOURS_NEEDED, fiber_p
    from forensics.undertrained.geometry import matrix_geometry
    from forensics.undertrained.neighbour_distances import neighbour_distances

    E_in, findings = examined.checkpoint.embedding, examined.findings
    groups = findings.identical.group
    first = np.unique(np.where(groups >= 0, groups, -1 - np.arange(len(groups))), return_index=True)[1]
    distinct = np.zeros(len(groups), dtype=bool)
    distinct[first] = True
    distinct &= findings.statistics.usable
    among = np.flatnonzero(distinct)
    if len(among) <= NEIGHBOURS_NEEDED:
        return None
    rng = np.random.default_rng([seed, 1])
    with progress.stage("geometry"):
        found = matrix_geometry(E_in, distinct, rng)
        drawn = rng.choice(among, size=min(_TESTED, len(among)), replace=False)
        asked = np.union1d(drawn, findings.candidates[distinct[findings.candidates]])
        p = np.full(len(groups), np.nan, dtype=np.float32)
        p[asked] = fiber_p(neighbour_distances(E_in, asked, among, NEIGHBOURS_NEEDED))
    plain = {name: _known(value) for name, value in asdict(found).items()}
    return MatrixShape(
        GeometrySummary(**{each.name: plain[each.name] for each in fields(GeometrySummary)}), p
    )


def _known(value: Any) -> Any:
    """Return a number of the analysis as the summary has it: NaN is None."""
    return None if isinstance(value, float) and math.isnan(value) else value
