import numpy as np
import pytest

from forensics.sticky.mean_similarity import mean_token_similarity
from tests.sticky.bag_encoder import WORDS, BagEncoder


def test_u_is_the_mean_over_all_pairs_self_pairs_included():
    encoder = BagEncoder.random(5)
    entries = [*WORDS[:20], "q1xq2x", "q3x stone"]
    vectors = encoder.embed(encoder.tokenize(entries)).astype(np.float64)
    assert mean_token_similarity(encoder, entries) == pytest.approx((vectors @ vectors.T).mean())
