"""Geometry against brute force and shapes whose numbers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forensics.matrices import ArrayMatrix
from forensics.undertrained.by_frequency import by_count, by_id
from forensics.undertrained.fiber_test import NEIGHBOURS_NEEDED, fiber_p
from forensics.undertrained.geometry import iso_score, matrix_geometry, mean_cosine_of_rows, two_nn


def published_iso_score(variances):
    """The formula as Rudman et al. write it."""
    d = len(variances)
    normalised = variances * math.sqrt(d) / np.linalg.norm(variances)
    defect = np.linalg.norm(normalised - 1) / math.sqrt(2 * (d - math.sqrt(d)))
    return ((d - defect**2 * (d - math.sqrt(d))) ** 2 - d) / (d * (d - 1))


def test_mean_cosine_equals_brute_force():
    rows = np.random.default_rng(0).standard_normal((2000, 12)) + 0.3
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = (units @ units.T)[np.triu_indices(2000, 1)]
    assert mean_cosine_of_rows(rows) == pytest.approx(pairs.mean(), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_iso_score_is_the_published_formula(seed):
    variances = np.random.default_rng(seed).exponential(size=20) ** 2
    participation = variances.sum() ** 2 / (variances**2).sum()
    assert iso_score(variances) == pytest.approx(published_iso_score(variances), abs=1e-9)
    assert iso_score(variances) == pytest.approx((participation - 1) / 19, abs=1e-9)


def test_iso_score_of_a_ball_and_of_a_line():
    rng = np.random.default_rng(0)
    ball = np.cov(rng.standard_normal((100_000, 10)).T)
    line = np.cov(np.outer(rng.standard_normal(1000), np.ones(10)).T)
    assert iso_score(np.linalg.eigvalsh(ball)) >= 0.99
    assert abs(iso_score(np.linalg.eigvalsh(line))) <= 1e-6


def test_dimensions_of_a_flat_cloud_in_a_large_space():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((6000, 5)) @ np.linalg.qr(rng.standard_normal((50, 5)))[0].T
    found = matrix_geometry(ArrayMatrix(array.astype(np.float32)), np.ones(6000, bool), rng)
    assert found.two_nn == pytest.approx(5, abs=0.5)
    assert found.levina_bickel_20 == pytest.approx(5, abs=0.6)
    assert found.ratio_dimension[1] == pytest.approx(5, abs=0.7)
    assert found.participation_ratio == pytest.approx(5, abs=0.1)
    assert found.rank_90 == 5
    assert found.cosine_spread == pytest.approx(1 / math.sqrt(5), abs=0.01)


def test_two_nn_of_a_gaussian_in_five_dimensions():
    from scipy.spatial import KDTree

    points = np.random.default_rng(0).standard_normal((10_000, 5))
    distances = KDTree(points).query(points, k=3)[0][:, 1:]
    assert two_nn(distances) == pytest.approx(5, abs=0.3)


def test_equal_rows_are_left_out_and_counted():
    array = np.random.default_rng(0).standard_normal((400, 6)).astype(np.float32)
    array[100:200] = array[99]
    distinct = np.ones(400, bool)
    distinct[100:200] = False
    found = matrix_geometry(ArrayMatrix(array), distinct, np.random.default_rng(0))
    assert (found.rows, found.rows_left_out) == (300, 100)
    assert found.mean_cosine == pytest.approx(mean_cosine_of_rows(array[distinct]), abs=1e-6)
    assert found.as_dict()["rows"] == 300


def test_partition_ratio_is_near_one_for_small_rows_and_survives_large_ones():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((300, 6)).astype(np.float32)
    small = matrix_geometry(ArrayMatrix(array * 1e-3), np.ones(300, bool), rng)
    large = matrix_geometry(ArrayMatrix(array * 1e3), np.ones(300, bool), rng)
    assert small.partition_ratio == pytest.approx(1, abs=1e-3)
    assert 0 <= large.partition_ratio < 1e-6


def test_few_rows_have_no_dimension():
    array = np.random.default_rng(0).standard_normal((12, 6)).astype(np.float32)
    found = matrix_geometry(ArrayMatrix(array), np.ones(12, bool), np.random.default_rng(0))
    assert math.isnan(found.levina_bickel_20)
    assert found.as_dict()["levina_bickel_100"] is None


@pytest.mark.parametrize("dimension", [2, 30])
def test_fiber_p_is_uniform_under_uniform_density_whatever_the_dimension(dimension):
    from scipy.stats import kstest

    counts = np.cumsum(np.random.default_rng(5).exponential(size=(1500, NEIGHBOURS_NEEDED)), axis=1)
    assert kstest(fiber_p(counts ** (1 / dimension)), "uniform").pvalue > 0.01


def test_fiber_p_tells_a_change_of_dimension():
    grown = np.cumsum(np.random.default_rng(0).exponential(size=(50, NEIGHBOURS_NEEDED)), axis=1)
    bent = np.where(grown < 70, grown ** (1 / 2), 70 ** (1 / 2) * (grown / 70) ** (1 / 60))
    assert np.mean(fiber_p(bent) < 0.05) > 0.5
    bent[0, :40] = 0.0
    assert np.isnan(fiber_p(bent)[0])
    with pytest.raises(ValueError, match="neighbours"):
        fiber_p(bent[:, :100])


def test_strata_are_told_by_id_and_by_count():
    ids = np.arange(5, 105)
    values = np.full(200, np.nan)
    values[5:55] = 1.0
    by_ids = by_id(ids, {"norm": values})
    assert [s.tokens for s in by_ids] == [10] * 10
    assert [s.means["norm"] for s in by_ids] == [1.0] * 5 + [None] * 5
    counts = np.zeros(200, dtype=int)
    counts[10:20], counts[20:23], counts[23] = 3, 30, 5000
    strata = by_count(ids, counts, {"norm": values})
    assert [(s.name, s.tokens, s.place) for s in strata] == [
        ("never seen", 86, 0),
        ("seen 1 to 3 times", 10, 1),
        ("seen 4 to 30 times", 3, 2),
        ("seen 301 times or more", 1, 4),
    ]
