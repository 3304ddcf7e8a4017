"""The probes' texts, in the ids of the demo model's tokenizer."""

from __future__ import annotations

import pytest

from forensics.errors import BadInputError
from forensics.undertrained.probes import EXAMPLES, build_probes
from forensics.undertrained.prompts import SLOT, Prompt, build_prompts


@pytest.fixture(scope="module")
def probes(smollm2_tokenizer):
    prompts = build_prompts(smollm2_tokenizer)
    return {p.name: p for p in build_probes(smollm2_tokenizer, prompts, list(range(500, 500 + EXAMPLES)))}


def test_all_probes_share_a_long_prefix_and_take_few_positions(probes):
    assert list(probes) == ["probe_equals", "probe_tab", "probe_quoted", "probe_continue"]
    assert [len(p.ids) - p.shared_length for p in probes.values()] == [2, 2, 6, 5]
    assert all(p.is_probe and p.slots[0] == p.shared_length for p in probes.values())


def test_lines_hold_every_example_twice(smollm2_tokenizer, probes):
    ids = probes["probe_equals"].ids
    lines = [ids[i : i + 4] for i in range(0, 160, 4)]
    assert [line[0] for line in lines] == [line[2] for line in lines] == list(range(500, 540))
    equals, newline = lines[0][1], lines[0][3]
    assert (smollm2_tokenizer.pieces[equals], smollm2_tokenizer.pieces[newline]) == ("Ġ=", "Ċ")
    assert ids[160:] == (SLOT, equals)


def test_the_quoted_copy_has_four_whole_shots_before_the_token(probes):
    prompt = probes["probe_quoted"]
    assert len(prompt.slots) == 1
    assert [prompt.ids.count(example) for example in range(500, 504)] == [2, 2, 2, 2]


def test_prefixes_stay_within_short_contexts(smollm2_tokenizer):
    prompts = build_prompts(smollm2_tokenizer)
    probes = build_probes(smollm2_tokenizer, prompts, list(range(500, 3000)))
    assert max(len(p.ids) for p in probes) <= 490


def test_refuses_what_it_cannot_build_on(smollm2_tokenizer):
    prompts = build_prompts(smollm2_tokenizer)
    with pytest.raises(BadInputError, match="examples"):
        build_probes(smollm2_tokenizer, prompts, [])
    with pytest.raises(BadInputError, match="no repeat"):
        build_probes(smollm2_tokenizer, [Prompt("continue", (1, SLOT))], [5])
