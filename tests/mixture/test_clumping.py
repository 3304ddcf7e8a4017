"""How unlike documents are, against a count by hand, and what that does to a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.mixture.clumping import clumping_of
from forensics.mixture.curve import fit_curve
from forensics.mixture.document_counts import count_documents, trace
from forensics.vocabulary.merge_list import build_merge_list
from tests.extras import need
from tests.mixture.test_curve import planted
from tests.mixture.test_infer import BY_LINE

need("highspy")
need("numba")


def test_the_variance_is_that_between_documents() -> None:
    merges = build_merge_list([("a", "b"), ("c", "d")], [*"abcd", "Ċ"])
    texts = ["ab\nab\ncd\n", "ab\nab\ncd\n", "ab\nab\nab\n", "ab\nab\ncd\n"] * 2
    counts = count_documents({"x": texts, "y": ["ab\n"] * 4}, BY_LINE, merges)
    learned, _ = trace(counts.words, merges.left, merges.right, merges.result)
    found = clumping_of(counts, learned)
    # Of x, whose documents are of equal size: `ab` 2, 2, 3, 2 and again (18), `cd` 1, 1, 0, 1 and again (6).
    for step, numbers in enumerate(([2, 2, 3, 2] * 2, [1, 1, 0, 1] * 2)):
        assert found[step, 0] == pytest.approx(8 * np.var(numbers, ddof=1) / sum(numbers) ** 2)
    assert found[:, 1].tolist() == [0, 0]


def test_only_the_chosen_piles_are_looked_at() -> None:
    merges = build_merge_list([("a", "b")], [*"ab", "Ċ"])
    counts = count_documents({"x": ["ab\n", "aa\n", "ab\n", "ab\n"]}, BY_LINE, merges)
    learned, _ = trace(counts.words, merges.left, merges.right, merges.result)
    chosen = np.array([True, False, True, True])
    assert clumping_of(counts, learned)[0, 0] > 0
    assert clumping_of(counts, learned, chosen)[0, 0] == 0
    assert clumping_of(replace(counts, category=counts.category), learned, ~chosen)[0, 0] == 0


@pytest.mark.parametrize("seed", range(3))
def test_merges_that_differ_between_documents_say_less(seed: int) -> None:
    generator = np.random.default_rng(seed + 70)
    alpha = np.array([0.5, 0.3, 0.2])
    W = planted(alpha, 2000, 0.02, seed)
    # Most merges of one category are of a few documents each: seen ten times too often, or hardly at all.
    clumped = generator.random(len(W)) < 0.7
    factor = np.where(generator.random(len(W)) < 0.25, 3.0, 0.33)
    variance = np.zeros_like(W)
    W[clumped, 0] *= factor[clumped]
    variance[clumped, 0] = W[clumped, 0] ** 2
    plain = fit_curve(W, np.empty((0, 3))).alpha
    found = fit_curve(W, np.empty((0, 3)), variance=variance).alpha
    assert np.abs(found - alpha).max() < 0.02
    assert np.abs(found - alpha).max() < np.abs(plain - alpha).max() / 2
