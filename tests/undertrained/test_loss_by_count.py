"""Losses by stratum: against one model pass per target, and intervals on simulated stretches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forensics.undertrained.loss_by_count import STRETCH, loss_of_strata, read_losses, spread_stretches
from tests.extras import need
from tests.undertrained.tiny_models import VOCABULARY, tiny

torch = need("torch")


def test_stretches_lie_apart_and_spare_most_of_a_short_text():
    long, short, none = np.arange(100_000), np.arange(4 * STRETCH), np.arange(STRETCH)
    found = spread_stretches([long, short, none])
    assert [len(each) for each in found] == [STRETCH] * 17
    starts = [int(each[0]) for each in found[:16]]
    assert (starts[0], starts[-1]) == (0, len(long) - STRETCH)
    assert min(np.diff(starts)) > 6000
    assert found[16].tolist() == list(range(STRETCH))


def test_losses_equal_those_of_one_pass_per_target():
    model = tiny("llama", scale=3.0)
    stretches = [[5, 9, 30, 12], [44, 2]]
    found = read_losses(model, stretches, start=(1,))
    assert [len(loss) for loss in found] == [3, 1]
    for ids, losses in zip(stretches, found, strict=True):
        for place, loss in enumerate(losses, 1):
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([[1, *ids[:place]]])).logits[0, -1]
            assert loss == pytest.approx(-float(logits.log_softmax(-1)[ids[place]]), abs=1e-5)


def test_means_are_over_targets_and_tokens_in_no_stratum_are_left_out():
    strata = np.full(VOCABULARY, -1)
    strata[[1, 2]], strata[3] = 0, 2
    stretches = [np.array([3, 1, 2, 9]), np.array([1, 1, 3, 9]), np.array([3, 2])]
    losses = [np.array([1.0, 2.0, 50.0]), np.array([3.0, 4.0, 60.0]), np.array([6.0])]
    first, second, third = loss_of_strata(stretches, losses, strata, 3)
    assert (first.targets, first.stretches, first.mean) == (4, 3, 3.0)
    assert first.low < 3.0 < first.high
    assert second.targets == 0
    assert math.isnan(second.mean)
    assert (third.targets, third.mean) == (1, 4.0)
    assert math.isnan(third.low)


def test_intervals_over_stretches_hold_the_mean_where_targets_of_one_come_together():
    rng = np.random.default_rng(0)
    strata = np.zeros(2, dtype=int)
    held = 0
    for _ in range(300):
        lengths = rng.integers(4, 40, size=24)
        stretches = [np.zeros(n + 1, dtype=int) for n in lengths]
        # What a stretch has in common is twice as large as what is each target's own.
        losses = [3 + rng.normal(0, 1) + rng.normal(0, 0.5, size=n) for n in lengths]
        (found,) = loss_of_strata(stretches, losses, strata, 1)
        held += found.low <= 3 <= found.high
    assert 0.91 <= held / 300 <= 0.98
