import numpy as np
import pytest

from forensics.comparison import signals
from forensics.comparison.signals import identical_rows, norm_cosine
from forensics.matrices import ArrayMatrix


def test_identical_rows_against_a_loop(monkeypatch):
    monkeypatch.setattr(signals, "BLOCK_ROWS", 7)
    random = np.random.default_rng(0)
    a = random.standard_normal((40, 5))
    b = a[random.permutation(40)].copy()
    b[::3, 2] += 1e-3
    ids_a, ids_b = random.permutation(40)[:30], random.permutation(40)[:30]
    slow = sum(bool((a[i] == b[j]).all()) for i, j in zip(ids_a, ids_b, strict=True))
    assert identical_rows(ArrayMatrix(a), ArrayMatrix(b), ids_a, ids_b) == slow
    everything = np.arange(40)
    assert identical_rows(ArrayMatrix(a), ArrayMatrix(a), everything, everything) == 40
    assert identical_rows(ArrayMatrix(a), ArrayMatrix(a[:, :4]), everything, everything) == 0


def test_norm_layers_are_compared_by_name_and_shape():
    a = {"x": np.array([1.0, 0]), "y": np.array([2.0]), "z": np.ones(3)}
    b = {"x": np.array([0, 1.0]), "y": np.array([2.0]), "z": np.ones(4)}
    assert norm_cosine(a, b) == pytest.approx(4 / 5)
    assert norm_cosine({"x": np.ones(2)}, {"y": np.ones(2)}) is None
    assert norm_cosine({"x": np.zeros(2)}, {"x": np.ones(2)}) is None
