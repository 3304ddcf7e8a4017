from __future__ import annotations

import numpy as np
import pytest

from forensics.repairing.guard import ReadText, judge


def read(log_p: float, mass: float, argmax: int = 1) -> dict[str, ReadText]:
    rows = np.full((4, 2), mass / 2, dtype=np.float32)
    return {"text": ReadText(np.full(4, log_p), rows, np.full(4, argmax))}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (read(-2.0, 1e-6), None),
        (read(-2.004, 1e-6), None),
        (read(-2.006, 1e-6), "perplexity rises from 7.389 to 7.434"),
        (read(-2.0, 2e-4), "0.0002 of the probability"),
        (read(-2.0, 1e-6, argmax=8), "at 4 positions"),
        (read(float("nan"), 1e-6), "perplexity"),
    ],
)
def test_each_limit_has_its_own_objection(after, said):
    found = judge(read(-2.0, 1e-7), after, np.array([7, 8]))
    assert len(found.objections) == (said is not None)
    assert said is None or said in found.objections[0]


def test_perplexity_is_over_all_tokens_and_given_by_kind():
    nothing = np.zeros((2, 1), np.float32)
    before = {
        "a": ReadText(np.array([-1.0]), nothing[:1], np.array([0])),
        "b": ReadText(np.array([-2.0, -3.0]), nothing, np.array([0, 0])),
    }
    found = judge(before, before, np.array([5]))
    assert found.perplexity_before == pytest.approx(np.exp(2.0))
    assert [each.perplexity_after for each in found.kinds] == pytest.approx([np.e, np.exp(2.5)])
    assert (found.rise, found.tokens) == (0, 3)
