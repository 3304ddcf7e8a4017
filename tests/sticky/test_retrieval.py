import numpy as np
import pytest

from forensics.sticky.retrieval import RetrievalTrial, ndcg_of_one
from tests.sticky.bag_encoder import BagEncoder, english


def test_ndcg_of_perfect_second_and_beyond_depth():
    assert ndcg_of_one(np.eye(3), [0, 1, 2]) == 1
    assert ndcg_of_one(np.array([[0.2, 0.9, 0.1]]), [0]) == pytest.approx(1 / np.log2(3))
    assert ndcg_of_one(np.arange(12.0)[None], [0]) == 0


def test_a_tie_is_not_a_hit():
    assert ndcg_of_one(np.ones((1, 20)), [4]) == 0


def test_a_dominant_token_ruins_retrieval_and_an_empty_one_does_not():
    encoder = BagEncoder.random(3)
    encoder.rows[-1] = 500 * encoder.rows[-1]
    encoder.rows[-2] = 0
    texts = english(15, 0)
    trial = RetrievalTrial(encoder, texts, texts, range(15))
    assert trial.untouched() == 1
    assert trial.damage(len(encoder.rows) - 1, 4).in_queries < 0.6
    assert trial.damage(len(encoder.rows) - 2, 4).in_queries > 0.9
