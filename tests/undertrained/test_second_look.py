"""The second look in ordinary text, on models whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from forensics.undertrained.emission import emission_maximum, spread_windows
from forensics.undertrained.natural_context import find_contexts, read_contexts
from forensics.undertrained.second_look import InText, WholeText, look_again
from tests.extras import need
from tests.undertrained.tiny_models import VOCABULARY, tiny

torch = need("torch")
need("transformers")
torch.set_num_threads(1)


class Successor:
    """Expects `t + 1` after token `t` with certainty, unless that is one of the dead ids."""

    def __init__(self, dead):
        self.dead = set(dead)
        self.device = torch.device("cpu")

    def get_input_embeddings(self):
        return torch.nn.Embedding(VOCABULARY, 1)

    def __call__(self, input_ids, use_cache):
        logits = torch.zeros(*input_ids.shape, VOCABULARY)
        for row, ids in enumerate(input_ids.tolist()):
            for place, token in enumerate(ids):
                is_known = (token + 1) not in self.dead and token + 1 < VOCABULARY
                logits[row, place, token + 1 if is_known else 0] = 20.0
        return SimpleNamespace(logits=logits)


COUNTING = [list(range(50)) * 8]


def test_contexts_stand_left_of_their_token_and_within_one_document():
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 20, size=n).tolist() for n in (5, 40, 300)]
    found = find_contexts(documents, [3, 7, 99], rng, per_token=4, left=10)
    places = {t: [(d, i) for d in documents for i in range(10, len(d)) if d[i] == t] for t in (3, 7)}
    assert found.occurrences == {3: len(places[3]), 7: len(places[7]), 99: 0}
    assert set(found.contexts) == {3, 7}
    assert found.text_tokens == 345
    for token, contexts in found.contexts.items():
        assert len(contexts) == 4
        for context in contexts:
            assert any(d[i - 10 : i] == context.tolist() for d, i in places[token])


def test_every_occurrence_is_as_likely_to_be_drawn():
    document = [0] * 10 + [1, *range(10, 20)] * 12
    ends = np.zeros(12)
    for seed in range(600):
        (drawn,) = find_contexts([document], [1], np.random.default_rng(seed), per_token=1, left=10).contexts[
            1
        ]
        ends[0 if drawn[0] == 0 else 1] += 1
    assert ends[0] / 600 == pytest.approx(1 / 12, abs=0.035)


def test_probabilities_are_those_of_whole_passes():
    model = tiny("llama", scale=3.0)
    rng = np.random.default_rng(0)
    document = rng.integers(3, VOCABULARY, size=200).tolist()
    found = find_contexts([document], [5, 9], rng, left=12)
    read = read_contexts(model, found, start=(1,))
    for token, contexts in found.contexts.items():
        for context, p in zip(contexts, read[token], strict=True):
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([[1, *context.tolist()]])).logits[0, -1]
            assert p == pytest.approx(float(logits.softmax(-1)[token]), rel=1e-4)


def test_the_emission_maximum_is_the_largest_of_all_positions():
    model = tiny("gpt2", scale=3.0)
    windows = np.random.default_rng(0).integers(0, VOCABULARY, size=(3, 20)).tolist()
    with torch.inference_mode():
        whole = torch.cat([model(input_ids=torch.tensor([w])).logits[0] for w in windows])
    assert emission_maximum(model, windows) == pytest.approx(whole.softmax(-1).amax(0).numpy(), rel=1e-4)
    assert np.isnan(emission_maximum(model, [])).all()


def test_windows_are_shared_by_all_texts_that_are_long_enough():
    streams = [[0] * 1000, [1] * 10, [2] * 500]
    windows = spread_windows(streams, positions=600, window=100)
    assert [w[0] for w in windows] == [0, 2, 0, 2, 0, 2]
    assert all(len(w) == 100 for w in windows)
    assert spread_windows([[1] * 5]) == []


def test_says_cleared_fails_or_absent():
    model = Successor(dead=[20])
    found = look_again(WholeText(model), [10, 20, 55, 60], [COUNTING], np.random.default_rng(0))
    assert found.evidence[10].in_text is InText.CLEARED
    assert found.evidence[20].in_text is InText.FAILS
    assert found.evidence[60].in_text is InText.ABSENT
    assert found.unknown_in_text == {20, 55, 60}
    assert found.counts() == {InText.CLEARED: 1, InText.FAILS: 1, InText.ABSENT: 2}
    assert [found.evidence[t].cleared_by_text for t in (10, 20, 60)] == [True, False, None]
    assert found.text_tokens == 400


def test_a_token_that_is_expected_where_another_stands_is_cleared_too():
    text = [[*range(1, 50), 0] * 8]
    text = [[t for t in text[0] if t != 31]]  # 31 is expected after 30 and never comes
    found = look_again(WholeText(Successor(dead=[])), [31], [text], np.random.default_rng(0))
    assert found.evidence[31].occurrences == 0
    assert found.evidence[31].cleared_by_text is True


def test_without_text_nothing_is_cleared():
    found = look_again(WholeText(Successor(dead=[])), [10], [], np.random.default_rng(0))
    assert found.evidence[10].in_text is InText.ABSENT
    assert found.positions == 0
