import numpy as np
import pytest

from forensics.sticky.mean_similarity import mean_token_similarity
from tests.sticky.bag_encoder import WORDS, BagEncoder


def test_u_is_the_mean_over_all_pairs_self_pairs_included():
    encoder = BagEncoder.random(5)
    entries = [*WORDS[:20], "q1xq2x", "q3x stone"]
    vectors = encoder.embed(encoder.tokenize(entries)).astype(np.float64)
    assert mean_token_similarity(encoder, entries) == pytest.approx((vectors @ vectors.T).mean())


def test_a_sample_estimates_it_without_bias():
    encoder = BagEncoder.random(200, seed=4)
    whole = mean_token_similarity(encoder, encoder.words)
    found = [mean_token_similarity(encoder, encoder.words, sample=40, seed=seed) for seed in range(200)]
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(whole, abs=3 * error)
    assert 0 < np.std(found) < 0.05


def test_a_sample_of_all_entries_is_all_of_them():
    encoder = BagEncoder.random(5)
    whole = mean_token_similarity(encoder, encoder.words)
    assert mean_token_similarity(encoder, encoder.words, sample=10_000) == whole
