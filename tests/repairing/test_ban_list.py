"""Ban lists: who is on them, and that every format says the same when it is read back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from forensics.repairing.ban_formats import FORMATS, BanList
from forensics.repairing.ban_list import ScannedTokens, tokens_to_ban
from forensics.schema.export import EXPORT_FORMATS

V = 12
BANS = BanList((3, 5, 8), 10, {3: "a", 5: "\n\t", 8: "é"})


def marked(*ids):
    mask = np.zeros(V, dtype=bool)
    mask[list(ids)] = True
    return mask


TOKENS = ScannedTokens(
    strong=marked(0, 2, 3, 4, 9, 10),
    verified=marked(0, 2, 3, 4, 5, 9, 10),
    cleared=marked(4),
    reserved=marked(6, 9),
    past_vocabulary=marked(10, 11),
    structural=marked(0, 1, 2, 6, 9),
)


def read_back(format, text):
    """Return the banned ids as the format's reader takes them."""
    if format == "logit-bias":
        return {int(key) for key, value in json.loads(text).items() if value == -100}
    if format == "llama.cpp":
        words = text.split()
        assert words[::2] == ["--logit-bias"] * (len(words) // 2)
        # id, sign, then what strtof reads.
        parts = [word.partition("-") for word in words[1::2]]
        assert all(float(sign + value) == -np.inf for _, sign, value in parts)
        return {int(token) for token, _, _ in parts}
    if format == "llama.cpp-server":
        return {token for token, value in json.loads(text)["logit_bias"] if value is False}
    if format == "vllm-allowed":
        return set(range(BANS.vocabulary_size)) - set(json.loads(text)["allowed_token_ids"])
    if format == "transformers":
        return set(json.loads(text)["suppress_tokens"])
    if format == "transformers-bad-words":
        return {token for (token,) in json.loads(text)["bad_words_ids"]}
    if format == "text-generation-webui":
        return {int(token) for token in text.split(",")}
    if format == "sillytavern":
        return {int(entry["text"].strip("[]")) for entry in json.loads(text) if entry["value"] == -100}
    return {int(line.split("\t")[0]) for line in text.splitlines()}


def test_the_declared_formats_are_those_that_are_written():
    assert tuple(FORMATS) == EXPORT_FORMATS


@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_every_format_says_the_same_when_read_back(format):
    text = BANS.text(format)
    assert text.endswith("\n")
    assert read_back(format, text) == set(BANS.ids)


def test_pieces_are_escaped():
    assert BANS.text("txt").splitlines() == ['3\t"a"', '5\t"\\n\\t"', '8\t"\\u00e9"']


def test_special_entries_that_are_not_reserved_and_rows_past_the_vocabulary_are_never_taken_unasked():
    assert tokens_to_ban(TOKENS, "verified") == [3, 4, 5, 9]
    assert tokens_to_ban(TOKENS, "unknown") == [3, 5, 9]
    assert tokens_to_ban(TOKENS, "strong") == [3, 9]


def test_reserved_entries_and_rows_past_the_vocabulary_come_on_demand():
    assert tokens_to_ban(TOKENS, "strong", reserved=True) == [3, 6, 9]
    assert tokens_to_ban(TOKENS, "strong", past_vocabulary=True) == [3, 9, 10, 11]


def test_what_has_a_role_or_is_to_be_kept_stays():
    assert tokens_to_ban(TOKENS, "verified", reserved=True, in_role=[6], keep=[3]) == [4, 5, 9]


def test_transformers_never_produces_a_suppressed_token():
    from tests.extras import need

    torch, transformers = need("torch"), need("transformers")
    config = transformers.LlamaConfig(
        vocab_size=10, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():  # every hidden state favours tokens 5 and 3: the argmax is a banned one
        model.lm_head = torch.nn.Linear(8, 10, bias=True)
        model.lm_head.weight.zero_()
        model.lm_head.bias.copy_(torch.tensor([0, 0, 1, 4, 0, 5, 0, 0, 3, 0.0]))
    ids = torch.tensor([[1, 2]])
    free = model.generate(ids, max_new_tokens=4, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert set(free[0, 2:].tolist()) == {5}
    banned = model.generate(
        ids,
        generation_config=transformers.GenerationConfig(
            max_new_tokens=4, do_sample=False, pad_token_id=0, **json.loads(BANS.text("transformers"))
        ),
    )
    assert set(banned[0, 2:].tolist()) == {2}
