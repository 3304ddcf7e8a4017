"""Verdicts from probabilities, and evidence as plain data."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.schema.words import Verdict
from forensics.undertrained.prompts import PROBE_PREFIX
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=3).map(tuple)


@pytest.mark.parametrize(
    ("max_prob", "verdict"),
    [
        (0.0, "verified_strong"),
        (0.00099, "verified_strong"),
        (0.001, "verified_weak"),
        (0.01, "inconclusive"),
        (0.1, "rejected"),
        (1.0, "rejected"),
        (None, "not_encodable"),
        (math.nan, "not_encodable"),
    ],
)
def test_the_thresholds_of_the_interface(max_prob, verdict):
    assert Verdict.of(max_prob).value == verdict
    assert Verdict.of(max_prob).is_verified == verdict.startswith("verified")


@given(st.lists(probabilities, min_size=1, max_size=4), st.booleans())
def test_evidence_survives_a_journal(parts, bound):
    shown = [PromptEvidence(f"p{i}", p, tuple(range(len(p))), "«\x00é", True) for i, p in enumerate(parts)]
    evidence = TokenEvidence.from_prompts(7, shown, bound)
    assert evidence.max_prob == max(p for part in parts for p in part)
    assert TokenEvidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


def test_a_probe_speaks_for_a_token_from_a_tenth_on_and_never_against_it():
    def verdict(probe, prompt):
        shown = [PromptEvidence(f"{PROBE_PREFIX}equals", (probe,), (1,), "")]
        return TokenEvidence.from_prompts(1, [*shown, PromptEvidence("repeat", (prompt,), (1,), "")])

    # Below a tenth the draw of the examples decides what a probe says, so the prompts alone count.
    assert verdict(0.09, 0.0004).max_prob == 0.0004
    assert verdict(0.09, 0.0004).verdict is Verdict.VERIFIED_STRONG
    assert verdict(1e-6, 0.02).verdict is Verdict.INCONCLUSIVE
    assert verdict(0.1, 0.0004).verdict is Verdict.REJECTED
    assert verdict(0.3, 0.2).max_prob == 0.3


def test_nan_is_no_evidence_of_being_undertrained_but_showing_the_token_is_one_against():
    nan, low, high = ((p,) for p in (math.nan, 0.0001, 0.8))
    of = {
        name: TokenEvidence.from_prompts(
            1, [PromptEvidence("a", x, (1,), ""), PromptEvidence("b", y, (1,), "")]
        )
        for name, x, y in (("doubt", nan, low), ("doubt too", low, nan), ("shown", nan, high))
    }
    assert of["doubt"].verdict is of["doubt too"].verdict is Verdict.NOT_ENCODABLE
    assert of["shown"].verdict is Verdict.REJECTED
    assert "NaN" not in json.dumps(of["doubt"].to_json())
