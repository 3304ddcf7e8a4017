from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from forensics.report.evidence_details import evidence_details


def test_the_verifiers_evidence_gives_one_group_per_prompt() -> None:
    prompts = [{"name": "explain", "probabilities": [0.25, 1e-9], "text": "a\nb", "complete": True}]
    text = json.dumps({"token_id": 3, "max_prob": 0.25, "prompts": prompts})
    assert evidence_details(text) == (
        ("explain", (("probabilities", "0.25, 1e-09"), ("text", "a\nb"), ("complete", "true"))),
    )


def test_a_mapping_of_prompts_is_read_as_well() -> None:
    assert evidence_details('{"repeat": {"max_prob": 0.5}, "seed": 1}') == (
        ("repeat", (("max_prob", "0.5"),)),
        ("", (("seed", "1"),)),
    )


def test_missing_or_broken_evidence_is_no_error() -> None:
    assert evidence_details(None) == ()
    assert evidence_details("no json") == (("", (("evidence", "no json"),)),)


@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_any_json_becomes_lines_of_text(value: object) -> None:
    for title, lines in evidence_details(json.dumps(value)):
        assert isinstance(title, str)
        assert all(isinstance(label, str) and isinstance(line, str) for label, line in lines)
