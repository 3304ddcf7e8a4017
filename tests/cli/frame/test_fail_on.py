from __future__ import annotations

import operator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.cli.frame.fail_on import parse_condition
from forensics.errors import OptionError
from forensics.report.kinds import kind_names, kind_of
from forensics.report.results import Results
from forensics.schema.scan import VerificationSummary
from tests.report.synthetic import build

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}


def results(**verification) -> Results:
    tokens, summary, manifest = build()
    if verification:
        summary = replace(summary, verification=replace(summary.verification, **verification))
    return Results(summary, {"tokens": tokens}, manifest)


PLANTED = results()


@given(st.sampled_from(sorted(SIGNS)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_condition_compares_as_python_does(sign: str, value: int, limit: int) -> None:
    condition = parse_condition(f" verified {sign} {limit} ", "scan")
    summary = replace(PLANTED.summary, verification=replace(PLANTED.summary.verification, verified=value))
    assert condition.is_met(replace(PLANTED, summary=summary)) == SIGNS[sign](value, limit)


def test_every_number_of_a_full_run_can_be_asked_for() -> None:
    verification = replace(PLANTED.summary.verification, unknown_in_text=2)
    full = replace(PLANTED, summary=replace(PLANTED.summary, verification=verification))
    for number in kind_of("scan").numbers:
        assert isinstance(parse_condition(f"{number.name}>=0", "scan").is_met(full), bool)


@pytest.mark.parametrize("command", kind_names())
@pytest.mark.parametrize("level", ["error", "warning", "note"])
def test_every_command_can_be_asked_for_findings_of_a_level(command: str, level: str) -> None:
    assert str(parse_condition(f" {level} ", command)) == level


def test_a_level_is_met_by_findings_as_bad_or_worse() -> None:
    found = [finding.level.value for finding in kind_of("scan").findings(PLANTED)]
    assert "error" in found
    for level in ("error", "warning", "note"):
        condition = parse_condition(level, "scan")
        assert condition.is_met(PLANTED)
        assert "findings of this level or worse" in condition.reason(PLANTED)


def test_a_number_of_another_command_is_refused_before_the_run() -> None:
    with pytest.raises(OptionError, match=r"no number 'verified'; choose from sticky, shortlisted"):
        parse_condition("verified>3", "sticky")


def test_an_unknown_number_lists_the_known_ones() -> None:
    listed = r"no number 'glitches'.*verified, unknown_in_text, strong.*unreachable"
    with pytest.raises(OptionError, match=listed):
        parse_condition("glitches>3", "scan")


@pytest.mark.parametrize(
    "text",
    ["", "verified", "verified>", ">3", "verified=>3", "verified>x", "__import__('os')>1", "verified>1__0",
     "verified>1_", "verified>٣", "verified>1e3", "verified>-1", "verified>1,000", "errors", "ERROR",
     "verified>3 or 1"],
)  # fmt: skip
def test_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(OptionError, match="'verified>100'"):
        parse_condition(text, "scan")


def test_a_gate_does_not_pass_for_want_of_a_number() -> None:
    tokens, summary, manifest = build()
    skipped = replace(summary, verification=VerificationSummary(skipped="no torch"))
    condition = parse_condition("verified>100", "scan")
    with pytest.raises(OptionError, match=r"no number 'verified' \(no torch\)"):
        condition.is_met(Results(skipped, {"tokens": tokens}, manifest))
