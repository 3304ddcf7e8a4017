"""Packed probes against tokens run alone, on a random model of every common kind."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.undertrained.packed_probe import PackedProbe
from forensics.undertrained.prompt_run import PromptRunner
from forensics.undertrained.prompts import SLOT, Prompt
from tests.undertrained.tiny_models import KINDS, VOCABULARY, tiny

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
torch.set_num_threads(1)

PROBES = (
    Prompt("probe_equals", (1, *(5, 9, 5, 10, 6, 9, 6, 10) * 2, SLOT, 9)),
    Prompt("probe_quoted", (1, 5, 7, 8, 9, SLOT, 10, 11, SLOT, 12, 3)),
)
#: Kinds that have no attention over positions to mask, or take positions from elsewhere.
CANNOT_PACK = ("mamba", "recurrentgemma", "bloom", "falcon-alibi")


def alone(model, prompt, token):
    """Log-probability of `token` behind the filled prompt, from one whole forward pass."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([prompt.fill(token)]), use_cache=False).logits
    return float(logits[0, -1].float().log_softmax(-1)[token]), int(logits[0, -1].argmax())


@pytest.mark.parametrize("kind", KINDS)
def test_packed_and_single_runs_agree(kind):
    model = tiny(kind, scale=2.0)
    runner = PromptRunner(model, PROBES[0])
    tokens = np.random.default_rng(0).permutation(VOCABULARY)[:21].tolist()
    for prompt in PROBES:
        probe = PackedProbe(model, prompt, runner)
        found = [probe.read(tokens), probe.read(tokens)]  # twice: the prefix must come through unharmed
        expected = [alone(model, prompt, token) for token in tokens]
        for reading in found:
            assert reading.log_p == pytest.approx([log_p for log_p, _ in expected], abs=1e-3)
            assert reading.said.tolist() == [said for _, said in expected]
        assert probe.is_packed == (kind not in CANNOT_PACK)


def test_reads_nothing_of_nobody():
    model = tiny("llama")
    probe = PackedProbe(model, PROBES[0], PromptRunner(model, PROBES[0]))
    assert probe.read([]).log_p.shape == (0,)


def test_more_tokens_than_fit_in_one_pass_are_read_in_several(monkeypatch):
    model = tiny("gpt2", scale=2.0)
    probe = PackedProbe(model, PROBES[0], PromptRunner(model, PROBES[0]))
    whole = probe.read(list(range(40)))
    monkeypatch.setattr("forensics.undertrained.packed_probe.CPU_POSITIONS", 10)
    parts = probe.read(list(range(40)))
    assert parts.log_p == pytest.approx(whole.log_p, abs=1e-4)
    assert parts.said.tolist() == whole.said.tolist()
