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


@pytest.mark.parametrize(
    ("parts", "verdict", "max_prob", "is_upper"),
    [
        # (probability, known by a bound) per prompt.
        ([(0.0004, True)], "verified_strong", 0.0004, True),
        ([(0.0004, True), (0.002, False)], "verified_weak", 0.002, False),
        ([(0.03, True), (0.0004, False)], "inconclusive", 0.03, True),
        ([(0.2, True), (0.0004, False)], "inconclusive", 0.2, True),
        ([(0.2, True), (0.05, False)], "inconclusive", 0.2, True),
        ([(1.0, True), (0.3, False)], "rejected", 0.3, False),
        ([(0.0004, True), (math.nan, False)], "not_encodable", None, False),
    ],
)
def test_a_bound_counts_against_a_token_and_never_for_it(parts, verdict, max_prob, is_upper):
    prompts = [
        PromptEvidence(f"p{i}", (p,), (0,), "", bounds=(0,) if bounded else ())
        for i, (p, bounded) in enumerate(parts)
    ]
    found = TokenEvidence.from_prompts(7, prompts)
    assert (found.verdict.value, found.max_prob, found.max_prob_is_upper) == (verdict, max_prob, is_upper)
    assert found.is_shown == (verdict == "rejected" or (verdict == "inconclusive" and not is_upper))
    again = TokenEvidence.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.verdict, again.max_prob_is_upper) == (found.verdict, is_upper)
    assert [p.bounds for p in again.prompts] == [p.bounds for p in prompts]


def test_a_bound_of_a_probe_shows_nobody():
    probe = PromptEvidence("probe_equals", (0.5,), (0,), "", bounds=(0,))
    prompt = PromptEvidence("repeat", (0.0001,), (0,), "")
    assert TokenEvidence.from_prompts(7, [probe, prompt]).verdict.value == "verified_strong"
