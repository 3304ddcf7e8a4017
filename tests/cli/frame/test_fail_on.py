from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.cli.fail_on import NUMBERS, parse_condition
from forensics.errors import BadInputError
from tests.report.synthetic import build

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}


@given(st.sampled_from(sorted(SIGNS)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_condition_compares_as_python_does(sign: str, value: int, limit: int) -> None:
    condition = parse_condition(f" verified {sign} {limit} ", "scan")
    assert condition.is_met({"verification": {"verified": value}}) == SIGNS[sign](value, limit)


@pytest.mark.parametrize("command", sorted(NUMBERS))
def test_every_number_of_a_full_run_can_be_asked_for(command: str) -> None:
    _, summary, _ = build()
    summary["counts"] |= dict.fromkeys(("unreachable_special", "unreachable_single"), 0)
    found = {"sticky": 0, "shortlisted": 3} if command == "sticky" else summary
    for key in NUMBERS[command]:
        assert parse_condition(f"{key}>=0", command).is_met(found), key


def test_a_number_of_another_command_is_refused_before_the_run() -> None:
    with pytest.raises(BadInputError, match=r"no number 'verified'; choose from sticky, shortlisted"):
        parse_condition("verified>3", "sticky")


def test_an_unknown_number_lists_the_known_ones() -> None:
    with pytest.raises(BadInputError, match=r"no number 'glitches'.*verified, strong.*unreachable"):
        parse_condition("glitches>3", "scan")


@pytest.mark.parametrize(
    "text", ["", "verified", "verified>", ">3", "verified=>3", "verified>x", "__import__('os')>1"]
)
def test_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInputError, match="'verified>100'"):
        parse_condition(text, "scan")


def test_a_gate_does_not_pass_for_want_of_a_number() -> None:
    condition = parse_condition("verified>100", "scan")
    with pytest.raises(BadInputError, match=r"no number 'verified' \(no torch\)"):
        condition.is_met({"verification": {"skipped": "no torch"}})
