"""The fast engine against the plain procedure on the demo model, token by token."""

from __future__ import annotations

import pytest

from forensics.schema.words import Verdict
from forensics.sources.runtimes.causal_lm import load_causal_lm
from forensics.sources.runtimes.llama_cpp import LlamaCppModel
from forensics.undertrained.asked_verification import AskedVerifier
from forensics.undertrained.chat_prompt import build_chat_prompt
from forensics.undertrained.plain_verification import verify_plainly
from forensics.undertrained.prompts import build_prompts
from forensics.undertrained.token_evidence import text_of_ids
from forensics.undertrained.verification import Verifier
from forensics.vocabulary.spelling import token_bytes
from tests.extras import need

pytestmark = pytest.mark.slow

need("torch")

#: Pieces that stand for file-specific words of SmolLM2's tokenizer corpus, and everyday ones.
UNDERTRAINED = ("MetaInfoClass", "swigfaiss")
EVERYDAY = ("Ġwater", "ing", ")")


@pytest.fixture(scope="module")
def model(smollm2_checkpoint):
    return load_causal_lm(smollm2_checkpoint, device="cpu", threads=1)


def test_verdicts_equal_the_plain_ones_and_name_the_known_undertrained(model, smollm2_tokenizer):
    source = smollm2_tokenizer
    prompts = (*build_prompts(source), build_chat_prompt(source))
    tokens = [source.pieces.index(piece) for piece in UNDERTRAINED + EVERYDAY]
    decode = text_of_ids(token_bytes(source))

    found = Verifier(model, prompts, decode).verify(tokens)
    for token, fast in zip(tokens, found, strict=True):
        plain = verify_plainly(model, prompts, token, decode, use_cache=True)
        assert fast.verdict is plain.verdict
        if not fast.max_prob_is_bound:
            assert fast.max_prob == pytest.approx(plain.max_prob, rel=1e-3)
            assert [p.generated for p in fast.prompts] == [p.generated for p in plain.prompts]
    verified = {e.token_id for e in found if e.verdict.is_verified}
    assert verified <= set(tokens[: len(UNDERTRAINED)])
    assert [e.verdict for e in found[len(UNDERTRAINED) :]] == [Verdict.REJECTED] * len(EVERYDAY)
    assert verified


def test_llama_cpp_comes_to_the_same_verdicts(model, smollm2_checkpoint, smollm2_tokenizer):
    need("xllamacpp")
    source = smollm2_tokenizer
    prompts = build_prompts(source)
    tokens = [source.pieces.index(piece) for piece in UNDERTRAINED + EVERYDAY]
    decode = text_of_ids(token_bytes(source))
    here = Verifier(model, prompts, decode).verify(tokens)
    asked = AskedVerifier(LlamaCppModel(smollm2_checkpoint, threads=1), len(source.pieces), prompts, decode)
    assert [e.verdict for e in asked.verify(tokens)] == [e.verdict for e in here]
