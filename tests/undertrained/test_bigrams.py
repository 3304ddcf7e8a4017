"""Copying pairs, with a model that copies and one that trips over some tokens."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.progress import Progress
from forensics.undertrained.bigrams import (
    Copier,
    Phrase,
    Way,
    build_copy_prompt,
    copy_pairs,
    permutation_p,
    well_trained,
)
from forensics.undertrained.prompts import SLOT, Prompt
from forensics.undertrained.token_evidence import text_of_ids
from forensics.vocabulary.spelling import token_bytes
from tests.extras import need
from tests.undertrained.tiny_models import VOCABULARY as TINY
from tests.undertrained.tiny_models import tiny

torch = need("torch")

PROMPT = Prompt("copy", (1, 2, 3, SLOT, 4))
LETTERS = "abcdefghijklmnop"
VOCABULARY = 100


def spell(ids):
    return "".join(LETTERS[(i - 10) % 16] if i >= 10 else "" for i in ids).encode()


class Echo:
    """Says what was shown between 3 and 4, one id after another, unless one of them is in `trips`."""

    def __init__(self, trips):
        self.trips, self.device = set(trips), torch.device("cpu")

    def __call__(self, input_ids, use_cache):
        return self.forward(input_ids, use_cache)

    def forward(self, input_ids, use_cache):
        ids = input_ids[0].tolist()
        logits = torch.zeros(1, 1, VOCABULARY)
        if 4 in ids and 3 in ids:
            shown = ids[ids.index(3) + 1 : ids.index(4)]
            place = len(ids) - ids.index(4) - 1
            following = 5 if self.trips & set(shown) or place >= len(shown) else shown[place]
            logits[0, 0, following] = 9.0
        return SimpleNamespace(logits=logits)


def phrase(a, b):
    """A pair of ids above 50 and the same text by ids below, which never trip."""
    text = spell([a, b]).decode()
    return Phrase(text, (a, b), tuple(10 + LETTERS.index(c) for c in text))


IMPROBABLE = [phrase(60 + i, 61 + i) for i in range(12)]
CONTROLS = [phrase(80 + i, 81 + i) for i in range(12)]


def found_with(trips, pairs=IMPROBABLE, controls=CONTROLS):
    return copy_pairs(Copier(Echo(trips), PROMPT, spell), pairs, controls)


def test_a_model_that_trips_over_the_pairs_alone_is_told():
    found = found_with(range(60, 75))
    assert (found.pairs_fail, found.pairs_fail_by_characters) == (1.0, 0.0)
    assert (found.controls_fail, found.controls_fail_by_characters) == (0.0, 0.0)
    assert found.difference == 1.0
    assert found.p == pytest.approx(1 / math.comb(24, 12))
    assert found.refused is None
    assert len(found.failed) == 12


def test_a_model_that_trips_over_rare_tokens_of_both_kinds_is_not_blamed():
    found = found_with(range(60, 100))
    assert found.pairs_fail == found.controls_fail == 1.0
    assert found.difference == 0.0
    assert found.p == 1.0


def test_a_model_that_cannot_copy_is_refused_before_the_pairs_are_tried():
    asked = []

    def copies(phrase, way):
        asked.append((phrase, way))
        return False

    found = copy_pairs(copies, IMPROBABLE, CONTROLS)
    assert "fails to copy 100% of the control pairs even character by character" in found.refused
    assert asked == [(each, Way.BY_CHARACTERS) for each in CONTROLS]
    assert found.controls_fail_by_characters == 1.0
    assert math.isnan(found.pairs_fail)


@pytest.mark.parametrize(("pairs", "controls"), [([], CONTROLS), (IMPROBABLE, [])])
def test_without_pairs_nothing_is_claimed(pairs, controls):
    found = found_with((), pairs, controls)
    assert found.refused is not None
    assert math.isnan(found.difference)
    assert math.isnan(found.p)


def test_the_cost_is_told_before_most_of_it_is_paid():
    class Listener(Progress):
        notes: list[str] = []  # noqa: RUF012

        def note(self, message):
            self.notes.append(message)

    copy_pairs(lambda phrase, way: True, IMPROBABLE, CONTROLS, Listener())
    assert len(Listener.notes) == 1
    assert Listener.notes[0].startswith("48 phrases to be copied take")


@pytest.mark.parametrize("kind", ["llama", "mamba"])
def test_a_reused_beginning_gives_the_same_answers_as_reading_all_of_it(kind):
    # A random model copies hardly anything, so its own greedy answer serves as the phrase.
    model = tiny(kind, scale=4.0)
    prompt = Prompt("copy", (*range(5, 25), SLOT, 3, 4))
    copier = Copier(model, prompt, lambda ids: bytes(ids))
    answers = []
    for shown in itertools.combinations(range(30, 38), 2):
        ids = [*prompt.ids[:20], *shown, 3, 4]
        with torch.inference_mode():
            for _ in range(2):
                ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        said = bytes(ids[-2:]).decode()
        other = said[:1] + chr((ord(said[1]) + 1) % TINY)
        answers.append([copier(Phrase(text, shown, ()), Way.AS_PAIR) for text in (said, other)])
    assert answers == [[True, False]] * 28


def test_the_task_has_one_place_for_the_phrase(smollm2_tokenizer):
    prompt = build_copy_prompt(smollm2_tokenizer)
    assert len(prompt.slots) == 1
    decode = text_of_ids(token_bytes(smollm2_tokenizer))
    assert decode(prompt.ids[: prompt.shared_length]).endswith("Copy: «привет»\nText: «")
    assert decode(prompt.ids[prompt.shared_length + 1 :]) == "»\nCopy: «"


def test_well_trained_rows_are_the_calm_half_by_the_tokens_that_may_be_candidates():
    values = np.array([0.1, 0.2, 0.3, 0.4, np.nan, 0.25, 9.0])
    eligible = np.array([1, 1, 1, 1, 1, 0, 0], dtype=bool)
    assert np.flatnonzero(well_trained(values, eligible)).tolist() == [2, 3, 5, 6]
    assert not well_trained(values, np.zeros(7, dtype=bool)).any()


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_test_equals_all_permutations(seed):
    rng = np.random.default_rng(seed)
    group, others = rng.integers(-1, 2, size=4), rng.integers(-1, 2, size=5)
    pooled = np.concatenate([group, others])
    sums = [pooled[list(chosen)].sum() for chosen in itertools.combinations(range(9), 4)]
    assert permutation_p(group, others) == pytest.approx(np.mean(np.array(sums) >= group.sum()))
