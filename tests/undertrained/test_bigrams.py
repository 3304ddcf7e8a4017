"""Copying pairs, with a model that copies and one that trips over some tokens."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.undertrained.bigrams import CopyPrompt, Phrase, copy_pairs, permutation_p

torch = pytest.importorskip("torch")

PROMPT = CopyPrompt(before=(1, 2, 3), between=(4,))
LETTERS = "abcdefghijklmnop"
VOCABULARY = 100


def spell(ids):
    return "".join(LETTERS[(i - 10) % 16] if i >= 10 else "" for i in ids).encode()


class Copier:
    """Says what was shown between 3 and 4, one id after another, unless one of them is in `trips`."""

    def __init__(self, trips):
        self.trips, self.device = set(trips), torch.device("cpu")

    def __call__(self, input_ids, use_cache, past_key_values=()):
        ids = [*past_key_values, *input_ids[0].tolist()]
        logits = torch.zeros(1, 1, VOCABULARY)
        if 4 in ids:
            shown = ids[3 : ids.index(4)]
            place = len(ids) - ids.index(4) - 1
            following = 5 if self.trips & set(shown) or place >= len(shown) else shown[place]
            logits[0, 0, following] = 9.0
        return SimpleNamespace(logits=logits, past_key_values=tuple(ids))


def phrase(a, b):
    """A pair of ids above 50 and the same text by ids below, which never trip."""
    text = spell([a, b]).decode()
    return Phrase(text, (a, b), tuple(10 + LETTERS.index(c) for c in text))


IMPROBABLE = [phrase(60 + i, 61 + i) for i in range(12)]
CONTROLS = [phrase(80 + i, 81 + i) for i in range(12)]


def test_a_model_that_trips_over_the_pairs_alone_is_told():
    found = copy_pairs(Copier(range(60, 75)), PROMPT, IMPROBABLE, CONTROLS, spell)
    assert (found.pairs_fail, found.pairs_fail_by_characters) == (1.0, 0.0)
    assert (found.controls_fail, found.controls_fail_by_characters) == (0.0, 0.0)
    assert found.difference == 1.0
    assert found.p == pytest.approx(1 / math.comb(24, 12))
    assert found.refused is None
    assert len(found.failed) == 12


def test_a_model_that_trips_over_rare_tokens_of_both_kinds_is_not_blamed():
    found = copy_pairs(Copier(range(60, 100)), PROMPT, IMPROBABLE, CONTROLS, spell)
    assert found.pairs_fail == found.controls_fail == 1.0
    assert found.difference == 0.0
    assert found.p == 1.0


def test_a_model_that_cannot_copy_is_refused():
    found = copy_pairs(Copier(range(10, 100)), PROMPT, IMPROBABLE, CONTROLS, spell)
    assert "fails to copy 100% of the controls" in found.refused


def test_without_pairs_nothing_is_claimed():
    found = copy_pairs(Copier(()), PROMPT, [], CONTROLS, spell)
    assert found.refused is not None
    assert math.isnan(found.difference)
    assert found.p == 1.0


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_test_equals_all_permutations(seed):
    rng = np.random.default_rng(seed)
    group, others = rng.integers(-1, 2, size=4), rng.integers(-1, 2, size=5)
    pooled = np.concatenate([group, others])
    sums = [pooled[list(chosen)].sum() for chosen in itertools.combinations(range(9), 4)]
    assert permutation_p(group, others) == pytest.approx(np.mean(np.array(sums) >= group.sum()))
