"""The five scores against a reference that is slow and obvious, on five texts of a small model."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest

from forensics.exposure.text_scores import text_scores, token_frequencies
from forensics.sources.runtimes.token_scores import score_tokens
from tests.extras import need

torch = need("torch")
transformers = need("transformers")
TEXTS = ("a", "one two", "the same the same the same", "A longer text, with signs: 1, 2, 3!", "x" * 40)


def reference(model, ids: list[int], text: str, frequency: list[float]) -> dict[str, float]:
    """Return the scores token by token, as the papers write them."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    own, standard, surprise, seen = [], [], [], set()
    for place in range(1, len(ids)):
        distribution = [float(each) for each in torch.softmax(logits[place - 1], -1)]
        log_p = math.log(distribution[ids[place]])
        mean = sum(p * math.log(p) for p in distribution)
        square = sum(p * math.log(p) ** 2 for p in distribution)
        own.append(log_p)
        standard.append((log_p - mean) / math.sqrt(square - mean**2))
        if ids[place] not in seen:
            seen.add(ids[place])
            surprise.append(min(distribution[ids[place]] * math.log(1 / frequency[ids[place]]), 0.01))
    lowest = max(1, math.floor(0.2 * len(own)))
    return {
        "loss": sum(own) / len(own),
        "zlib": sum(own) / len(own) / len(zlib.compress(text.encode())),
        "min_k": sum(sorted(own)[:lowest]) / lowest,
        "min_k_plus": sum(sorted(standard)[:lowest]) / lowest,
        "dc_pdd": sum(surprise) / len(surprise),
    }


@pytest.mark.parametrize("text", TEXTS)
def test_the_scores_are_those_of_the_reference(text):
    torch.manual_seed(2)
    config = transformers.LlamaConfig(
        vocab_size=128, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, initializer_range=0.5,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    ids = [1, *text.encode()]
    counts = np.bincount(np.frombuffer(b"some reference text, one", np.uint8), minlength=128)
    frequencies = token_frequencies(counts)
    assert frequencies.sum() == pytest.approx(1)
    said = score_tokens(model, ids)
    found = text_scores(text, said.ids, said.log_p, said.mean, said.variance, frequencies)
    assert found == pytest.approx(reference(model, ids, text, frequencies.tolist()), abs=1e-5)


def test_a_certain_model_gives_numbers_and_a_single_token_is_its_own_lowest():
    nothing = np.zeros(1)
    found = text_scores("a", np.array([3]), nothing, nothing, nothing, np.full(5, 0.2))
    assert (found["min_k"], found["min_k_plus"], found["dc_pdd"]) == (0, 0, 0.01)
