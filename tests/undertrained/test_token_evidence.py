"""Verdicts from probabilities, and evidence as plain data."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.schema.words import Verdict
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
