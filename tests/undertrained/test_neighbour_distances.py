"""Nearest neighbours in blocks, against all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.neighbour_distances import neighbour_distances


def test_distances_are_those_of_all_pairs():
    E = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    asked, among = np.array([0, 7, 59]), np.arange(0, 60)
    found = neighbour_distances(ArrayMatrix(E), asked, among, 5)
    for row, distances in zip(asked, found, strict=True):
        others = sorted(float(np.linalg.norm(E[row] - E[i])) for i in among if i != row)
        assert distances == pytest.approx(others[:5], rel=1e-3)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="5 neighbours"):
        neighbour_distances(ArrayMatrix(np.eye(5, dtype=np.float32)), np.array([0]), np.arange(5), 5)
