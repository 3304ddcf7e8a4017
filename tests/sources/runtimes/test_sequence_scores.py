from __future__ import annotations

import numpy as np
import pytest

from forensics.sources.runtimes.sequence_scores import score_sequences
from forensics.sources.runtimes.token_scores import score_tokens
from tests.extras import need

torch = need("torch")
transformers = need("transformers")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, initializer_range=0.5,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


ROWS = np.random.default_rng(0).integers(0, 50, size=(6, 21))


@pytest.mark.parametrize("start", [(), (1,)])
def test_rows_that_fit_are_the_sums_of_their_tokens(model, start):
    wanted = [score_tokens(model, row.tolist(), start).log_p.sum() for row in ROWS]
    assert score_sequences(model, ROWS, start) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("window", [2, 5, 8, 20, 21])
def test_longer_rows_are_read_in_windows_each_token_once(model, window):
    row = ROWS[0].tolist()
    wanted, scored = 0.0, 1
    begin = 0
    while scored < len(row):
        part = row[begin : begin + window]
        wanted += score_tokens(model, part).log_p[scored - begin - 1 :].sum()
        scored = begin + window
        begin = min(begin + window // 2, len(row) - window)
    assert score_sequences(model, ROWS[:1], (), window)[0] == pytest.approx(wanted, abs=1e-3)
