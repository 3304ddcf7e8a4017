"""Planted truth: a trained model whose never-seen tokens are known by construction.

Two models, tied and untied, are trained for half a minute each. The scan knows nothing of the planting;
what it must find is every token that never occurred in the training ids.
"""

import numpy as np
import pytest

from forensics.runs.scan.run import scan
from forensics.undertrained.second_look import WholeText, look_again
from tests.planted_model import LEVELS, real_text, train_planted_model

pytestmark = pytest.mark.slow


def average_precision(values, relevant):
    """Mean, over the relevant, of the precision at the place where each is met; low values first."""
    hit = relevant[np.argsort(values, kind="stable")]
    return float((np.cumsum(hit)[hit] / (np.flatnonzero(hit) + 1)).mean())


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def planted(request, tmp_path_factory):
    model = train_planted_model(tied=request.param, weight_decay=0.1)
    folder = model.save(tmp_path_factory.mktemp("planted"))
    return model, scan(folder, verify=False, candidates=3.0)


def test_the_training_ids_hold_what_was_planted(planted):
    model, _ = planted
    assert len(model.never_seen()) > 10
    for token, count in model.planted.items():
        assert model.counts[token] == count


def test_references_are_bytes_that_no_text_holds(planted):
    model, result = planted
    ids = result.summary["reference"]["ids"]
    assert len(ids) >= 3
    assert result.summary["reference"]["has_evidence"]
    assert all(model.counts[i] == 0 for i in ids)


def test_never_seen_tokens_rank_first(planted):
    model, result = planted
    table = result.tokens[(result.tokens.category == "ok") & ~result.tokens.is_byte]
    never = model.counts[table.token_id.to_numpy()] == 0
    assert never.sum() >= len(model.never_seen())
    name = result.summary["indicator"]["name"]
    assert average_precision(table[name].to_numpy(), never) > 0.95
    assert model.never_seen() <= set(table.sort_values("rank").token_id[: int(never.sum() * 1.5)])


def test_suspicion_falls_with_frequency(planted):
    model, result = planted
    rank = dict(zip(result.tokens.token_id, result.tokens["rank"], strict=True))
    medians = [
        np.median([rank[t] for t, count in model.planted.items() if count == level]) for level in LEVELS
    ]
    assert medians == sorted(medians)


def test_the_data_driven_threshold_holds_all_never_seen(planted):
    model, result = planted
    found = result.summary["indicator"]["data_driven"]["threshold"]
    values = result.tokens.set_index("token_id")[result.summary["indicator"]["name"]]
    assert found is not None
    assert (values[sorted(model.never_seen())] <= found).all()


def test_ordinary_text_clears_what_was_seen_and_nothing_that_never_was(planted):
    model, _ = planted
    # The tokenizer writes the planted tokens where the model was shown their parts.
    texts = [[encoding.ids for encoding in model.tokenizer.encode_batch(real_text())]]
    often = [int(t) for t in np.argsort(-model.counts)[:100]]
    found = look_again(WholeText(model.model), [*model.planted, *often], texts, np.random.default_rng(0))
    assert not found.cleared & model.never_seen()
    assert found.cleared >= set(often)
