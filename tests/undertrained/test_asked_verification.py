"""Verification by questions against the plain procedure."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.schema.words import Verdict
from forensics.sources.interface import NextTokens
from forensics.undertrained.asked_verification import AskedText, AskedVerifier
from forensics.undertrained.natural_context import find_contexts, read_contexts
from forensics.undertrained.plain_verification import verify_plainly
from forensics.undertrained.prompts import SLOT, Prompt
from tests.undertrained.test_verification import PROMPTS, VOCABULARY, Copier, decode, tiny

PROBES = (Prompt("probe_equals", (1, 4, 5, 4, 6, 7, 5, 7, SLOT, 5)),)


class Asked:
    """A model in this process, asked as if it were elsewhere."""

    positions = None

    def __init__(self, model):
        self.model = model
        self.questions = 0

    def next_tokens(self, prompts, tokens):
        import torch

        self.questions += len(tokens)
        log_p, said = [], []
        for prompt, token in zip(prompts, tokens, strict=True):
            with torch.inference_mode():
                row = self.model(input_ids=torch.tensor([list(prompt)])).logits[0, -1].log_softmax(-1)
            log_p.append(float(row[token]))
            said.append(int(row.argmax()))
        return NextTokens(np.array(log_p, np.float32), np.array(said, np.int64))


@pytest.mark.parametrize(("kind", "scale"), [("llama", 1.0), ("gpt2", 3.0)])
def test_gives_what_the_plain_procedure_gives(kind, scale):
    model = tiny(kind, scale)
    tokens = list(range(20, 32))
    found = AskedVerifier(Asked(model), VOCABULARY, PROMPTS, decode, probes=PROBES).verify(tokens)
    for token, evidence in zip(tokens, found, strict=True):
        plain = verify_plainly(model, (*PROBES, *PROMPTS), token, decode)
        assert evidence.verdict is plain.verdict
        if not evidence.max_prob_is_bound:
            assert evidence.max_prob == pytest.approx(plain.max_prob, rel=1e-4)
            assert [p.generated for p in evidence.prompts] == [p.generated for p in plain.prompts]


def test_finds_the_dead_and_asks_little_of_the_living():
    dead = {20, 33, 47}
    asked = Asked(Copier(dead))
    verifier = AskedVerifier(asked, VOCABULARY, PROMPTS[2:], decode)
    found = verifier.verify(range(12, VOCABULARY))
    assert {e.token_id for e in found if e.verdict.is_verified} == dead
    assert all(e.verdict is Verdict.REJECTED for e in found if e.token_id not in dead)
    assert asked.questions == VOCABULARY - 12 - len(dead) + 3 * len(dead)


def test_past_the_probes_everything_is_put():
    verifier = AskedVerifier(Asked(tiny("llama", 1.0)), VOCABULARY, PROMPTS, decode, probes=PROBES)
    (evidence,) = verifier.verify_past_probes([25])
    assert [p.name for p in evidence.prompts] == ["probe_equals", "explain", "repeat", "continue"]
    reading = verifier.probe([25], leave_at=0.01)
    assert np.exp(reading.log_p[0, 0]) == pytest.approx(evidence.prompts[0].probabilities[0], rel=1e-5)


def test_rows_that_the_model_has_not_are_not_encodable():
    found = AskedVerifier(Asked(tiny("llama", 1.0)), VOCABULARY, PROMPTS, decode).verify([VOCABULARY, -1])
    assert {e.verdict for e in found} == {Verdict.NOT_ENCODABLE}
    with pytest.raises(BadInputError):
        AskedVerifier(Asked(None), VOCABULARY, (), decode)


def test_ordinary_text_is_read_as_with_the_model_at_hand():
    model = tiny("llama", 2.0)
    text = np.random.default_rng(0).integers(1, VOCABULARY, 400)
    contexts = find_contexts([text], [5, 6], np.random.default_rng(1))
    reader = AskedText(Asked(model), VOCABULARY)
    found, truth = reader.contexts(contexts, (1,)), read_contexts(model, contexts, (1,))
    assert found.keys() == truth.keys()
    for token, values in found.items():
        assert values == pytest.approx(truth[token], rel=1e-4)
    assert np.isnan(reader.emission([[1, 2]], ())).all()
