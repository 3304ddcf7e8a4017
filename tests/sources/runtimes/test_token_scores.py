"""Scores and exchanged rows of a tiny model, against the plain way of getting them."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.sources.runtimes.replaced_rows import TokenRows, replaced_rows
from forensics.sources.runtimes.token_scores import score_tokens
from forensics.sources.tensors.safetensors_rewrite import RowChange
from tests.extras import need

torch = need("torch")
transformers = need("transformers")


def tiny(tied: bool):
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, tie_word_embeddings=tied, initializer_range=0.7,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("start", [(), (3, 4)])
def test_scores_are_those_of_the_softmax_written_out(start):
    model, ids, watch = tiny(True), list(range(5, 35)) * 8, [0, 9]
    found = score_tokens(model, ids, start, watch)
    whole = [*start, *ids]
    with torch.no_grad():
        log_p = model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
    first = max(1, len(start))
    assert found.ids.tolist() == whole[first:]
    for k, token in enumerate(whole[first:]):
        row = log_p[first - 1 + k]
        mean = float((row.exp() * row).sum())
        assert found.log_p[k] == pytest.approx(float(row[token]), abs=1e-5)
        assert found.mean[k] == pytest.approx(mean, abs=1e-5)
        assert found.variance[k] == pytest.approx(float((row.exp() * (row - mean) ** 2).sum()), abs=1e-4)
        assert found.argmax[k] == int(row.argmax())
        assert found.watched[k] == pytest.approx(row[watch].exp().numpy(), abs=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_rows_are_exchanged_for_a_while_and_come_back(tied):
    model = tiny(tied)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    rows = np.ones((3, 16), dtype=np.float32)
    change = RowChange(np.array([7, 40, 41]), rows, 42)
    head = None if tied else RowChange(change.ids, 2 * rows, 42)
    with replaced_rows(model, TokenRows(change, head)) as changed, torch.no_grad():
        assert changed(torch.tensor([[7, 41]])).logits.shape[-1] == 42
        assert changed.get_input_embeddings().weight[41].tolist() == [1] * 16
        assert changed.get_output_embeddings().weight[7].tolist() == [1 if tied else 2] * 16
    after = model.state_dict()
    assert all(torch.equal(each, after[name]) for name, each in before.items())
    assert (model.get_input_embeddings().weight is model.get_output_embeddings().weight) == tied
