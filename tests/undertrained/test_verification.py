"""The fast engine against the plain one, on models small enough to run both many times."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.schema.words import Verdict
from forensics.undertrained.drafted_verification import DraftedVerifier, drafting_pays
from forensics.undertrained.plain_verification import verify_plainly
from forensics.undertrained.prompts import SLOT, Prompt
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.verification import Verifier
from tests.extras import need

torch = need("torch")
transformers = need("transformers")

# Matrices this small are slower with two threads than with one.
torch.set_num_threads(1)

VOCABULARY = 61
PROMPTS = (
    Prompt("explain", (1, 7, 8, 9, SLOT, 10, 11)),
    Prompt("repeat", (1, 5, *(6, SLOT, 7, SLOT, 8) * 4, 6, SLOT, 7), looks=(10,)),
    Prompt("continue", (1, 3, *(SLOT,) * 12), looks=(6,)),
)


def decode(ids: list[int]) -> str:
    return " ".join(map(str, ids))


def tiny(kind: str, scale: float):
    """A small random model; larger weights make it surer of what it says."""
    size = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
    }
    torch.manual_seed(3)
    if kind == "llama":
        config = transformers.LlamaConfig(**size, num_key_value_heads=2)
    elif kind == "sliding":
        # A window shorter than the prompts: keys at the beginning are forgotten on the way.
        config = transformers.Gemma3TextConfig(
            **size, num_key_value_heads=2, head_dim=8, sliding_window=6, layer_types=["sliding_attention"] * 2
        )
    else:
        config = transformers.GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64
        )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model


class Copier(torch.nn.Module):
    """Says again what stood two places before its last id, unless that is one of the dead ids.

    The truth is known by construction: dead ids verify, all others are rejected. It offers neither a cache
    nor a bound on the logits, so it also stands for models that can do nothing but a whole pass.
    """

    def __init__(self, dead: set[int], back: int = 2):
        super().__init__()
        self.dead, self.back = dead, back
        self.table = torch.nn.Embedding(VOCABULARY, 1)
        self.device = torch.device("cpu")

    def get_input_embeddings(self):
        return self.table

    def get_output_embeddings(self):
        return None

    def forward(self, input_ids, use_cache=False):
        logits = torch.zeros(*input_ids.shape, VOCABULARY)
        for row, ids in enumerate(input_ids.tolist()):
            for place in range(len(ids)):
                said = ids[max(0, place - self.back)]
                logits[row, place, 2 if said in self.dead else said] = 15.0
        return SimpleNamespace(logits=logits, past_key_values=None)


@pytest.mark.parametrize(("kind", "scale"), [("llama", 1.0), ("llama", 4.0), ("sliding", 1.0), ("gpt2", 3.0)])
@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_gives_the_verdicts_and_probabilities_of_the_plain_procedure(kind, scale, batch_size):
    model = tiny(kind, scale)
    tokens = [int(t) for t in np.random.default_rng(1).permutation(VOCABULARY)[:12]]
    fast = Verifier(model, PROMPTS, decode, batch_size=batch_size).verify(tokens)
    for token, found in zip(tokens, fast, strict=True):
        plain = verify_plainly(model, PROMPTS, token, decode)
        assert found.token_id == token
        if found.max_prob_is_bound:
            assert found.verdict is Verdict.REJECTED
            continue
        assert found.verdict is plain.verdict
        assert found.max_prob == pytest.approx(plain.max_prob, rel=1e-3, abs=1e-7)
        for ours, theirs in zip(found.prompts, plain.prompts, strict=True):
            assert ours.name == theirs.name
            assert ours.complete
            assert ours.probabilities == pytest.approx(theirs.probabilities, rel=1e-3, abs=1e-7)
            assert (ours.generated, ours.text) == (theirs.generated, theirs.text)


def test_the_prefix_is_reused_where_the_cache_allows_it():
    assert Verifier(tiny("llama", 1.0), PROMPTS, decode).reuses_prefix
    assert Verifier(tiny("gpt2", 1.0), PROMPTS, decode).reuses_prefix
    assert not Verifier(Copier(set()), PROMPTS, decode).reuses_prefix


def test_finds_exactly_the_tokens_a_copier_cannot_say():
    dead = {20, 33, 47, 60}
    found = Verifier(Copier(dead), PROMPTS[1:], decode).verify(range(12, VOCABULARY))
    assert {e.token_id for e in found if e.verdict.is_verified} == dead
    assert all(e.verdict is Verdict.REJECTED for e in found if e.token_id not in dead)


def test_rejected_tokens_skip_prompts_and_verified_ones_skip_none():
    found = Verifier(Copier({20}), PROMPTS, decode).verify([20, 21])
    assert [p.name for p in found[0].prompts] == ["explain", "repeat", "continue"]
    assert all(p.complete and len(p.probabilities) == 3 for p in found[0].prompts)
    assert not found[0].max_prob_is_bound
    assert found[1].max_prob_is_bound
    assert len(found[1].prompts) < 3


def test_a_token_without_a_row_is_not_encodable():
    found = Verifier(tiny("llama", 1.0), PROMPTS, decode).verify([VOCABULARY, 4, -1])
    assert [e.verdict is Verdict.NOT_ENCODABLE for e in found] == [True, False, True]
    assert found[0].max_prob is None


def test_a_broken_row_is_not_encodable_in_both_procedures():
    model = tiny("llama", 1.0)
    with torch.no_grad():
        model.get_input_embeddings().weight[30] = math.nan
    fast = Verifier(model, PROMPTS, decode).verify([30, 31])
    assert fast[0].verdict is Verdict.NOT_ENCODABLE
    assert fast[1].verdict is verify_plainly(model, PROMPTS, 31, decode).verdict
    assert verify_plainly(model, PROMPTS, 30, decode).verdict is Verdict.NOT_ENCODABLE
    assert TokenEvidence.from_json(fast[0].to_json()).verdict is Verdict.NOT_ENCODABLE


def test_the_plain_procedure_with_a_cache_gives_the_same_numbers():
    model = tiny("llama", 4.0)
    for token in (5, 40):
        bare = verify_plainly(model, PROMPTS, token, decode)
        cached = verify_plainly(model, PROMPTS, token, decode, use_cache=True)
        assert cached.max_prob == pytest.approx(bare.max_prob, rel=1e-3)
        assert cached.verdict is bare.verdict


def test_refuses_no_prompts_and_no_batch():
    model = tiny("llama", 1.0)
    with pytest.raises(BadInputError, match="prompts"):
        Verifier(model, (), decode)
    with pytest.raises(BadInputError, match="batch_size"):
        Verifier(model, PROMPTS, decode, batch_size=0)


def test_drafting_in_half_precision_changes_no_verdict():
    model = tiny("llama", 1.0)
    tokens = range(VOCABULARY)
    plain = Verifier(model, PROMPTS, decode).verify(tokens)
    drafted = DraftedVerifier(model, PROMPTS, decode, guard=4.0).verify(tokens)
    assert [e.token_id for e in drafted] == list(tokens)
    assert [e.verdict for e in drafted] == [e.verdict for e in plain]
    # This model says everything with a probability near 1/61, within the guard of the threshold 0.01.
    near = [i for i, e in enumerate(plain) if e.max_prob < 0.03]
    assert near
    for i in near:
        assert drafted[i].max_prob == pytest.approx(plain[i].max_prob, rel=1e-5)
    assert model.dtype == torch.float32


def test_drafting_is_for_float32_on_a_cpu_only():
    assert not drafting_pays(tiny("llama", 1.0).to(torch.bfloat16))


SETTLING = (
    PROMPTS[0],
    Prompt("repeat", (1, 5, *(6, SLOT, 7, SLOT, 8) * 4, 6, SLOT, 7), looks=(10,), settles_at=15),
    Prompt("continue", (1, 3, *(SLOT,) * 12), settles_at=8),
)
PROBES = (Prompt("probe_equals", (1, 20, 9, 20, 10, SLOT, 9)), Prompt("probe_tab", (1, 20, 11, 20, SLOT, 11)))


def test_a_token_that_shows_nothing_is_settled_without_the_rest():
    dead = {20, 33}
    for settles_below, is_cut in ((1e-5, True), (0.0, False)):
        verifier = Verifier(Copier(dead), SETTLING, decode, settles_below=settles_below)
        found = {e.token_id: e for e in verifier.verify([20, 21, 33])}
        assert {t for t, e in found.items() if e.verdict is Verdict.VERIFIED_STRONG} == dead
        assert found[20].max_prob_is_bound is is_cut
        assert [p.complete for p in found[20].prompts] == [True, not is_cut, not is_cut]


def test_a_token_that_shows_itself_later_is_read_to_the_end_after_all():
    class LateCopier(Copier):
        """Says a little of the dead ids, but only where the chat form asks for them (it ends in 50)."""

        def forward(self, input_ids, use_cache=False):
            answer = super().forward(input_ids, use_cache)
            for row, ids in enumerate(input_ids.tolist()):
                if 50 in ids:
                    answer.logits[row, :, list(self.dead)] = 11.0
            return answer

    prompts = (*SETTLING, Prompt("chat", (1, 3, SLOT, 4, 50)))
    (found,) = Verifier(LateCopier({20}), prompts, decode).verify([20])
    plain = verify_plainly(LateCopier({20}), prompts, 20, decode)
    assert not found.max_prob_is_bound
    assert found.verdict is plain.verdict is Verdict.INCONCLUSIVE
    assert found.max_prob == pytest.approx(plain.max_prob)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "sliding"])
def test_probes_count_as_prompts_and_come_first(kind):
    model = tiny(kind, 3.0)
    tokens = list(range(3, 30))
    fast = Verifier(model, PROMPTS, decode, probes=PROBES).verify(tokens)
    for token, found in zip(tokens, fast, strict=True):
        plain = verify_plainly(model, (*PROBES, *PROMPTS), token, decode)
        if found.max_prob_is_bound:
            assert found.verdict is Verdict.REJECTED
            continue
        assert [p.name for p in found.prompts] == [p.name for p in plain.prompts]
        assert found.verdict is plain.verdict
        assert found.max_prob == pytest.approx(plain.max_prob, rel=1e-3, abs=1e-7)


def test_whoever_shows_itself_in_a_probe_goes_no_further_unless_it_is_audited():
    verifier = Verifier(Copier({20}, back=1), PROMPTS, decode, probes=PROBES)
    assert not verifier.cascade.packed
    (rejected,) = verifier.verify([30])
    assert [p.name for p in rejected.prompts] == ["probe_equals"]
    (audited,) = verifier.verify_past_probes([30])
    assert {p.name for p in audited.prompts} > {"probe_equals", "probe_tab"}
    assert verifier.probe([20, 30], 0.01).log_p.shape == (2, 2)
    with pytest.raises(BadInputError, match="no row"):
        verifier.probe([VOCABULARY + 5], 0.01)
