import pytest

from forensics.sticky.insertion import Mode
from forensics.sticky.retokenization import share_kept
from tests.sticky.bag_encoder import BagEncoder

# Words are separated by spaces and cut greedily from the left into known ones.
ENCODER = BagEncoder.random(0)
RIVER, STONE = ENCODER.ids["river"], ENCODER.ids["stone"]


def test_a_token_that_stays_itself_is_kept_in_every_text():
    shares = share_kept(ENCODER, {RIVER: "river"}, ["stone market", "river stone river"], 4)
    assert shares == {Mode.PREFIX: 1, Mode.SUFFIX: 1}


def test_a_token_that_becomes_another_is_lost():
    encoder = BagEncoder.random(0)
    encoder.ids["riverriver"] = encoder.ids["mirror"]
    # One copy: kept. Two: one `riverriver`. Three: that and one. Before a word of its own they all join it.
    shares = share_kept(encoder, {RIVER: "river"}, ["stone"], 3)
    assert shares[Mode.PREFIX] == pytest.approx(1 / 3)
    assert shares[Mode.SUFFIX] == pytest.approx(1 / 3)


def test_shares_are_means_over_tokens_and_sentences():
    encoder = BagEncoder.random(0)
    encoder.ids["stonestone"] = encoder.ids["mirror"]
    shares = share_kept(encoder, {RIVER: "river", STONE: "stone"}, ["market", "engine"], 2)
    assert shares[Mode.PREFIX] == pytest.approx((1 + 1 / 2) / 2)
