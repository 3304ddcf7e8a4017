import numpy as np
import pytest

from forensics.comparison.spelt import spell
from tests.auditing.tokenizers_at_hand import at_hand


@pytest.mark.parametrize("name", ["byte_level", "sentencepiece_bpe", "unigram"])
def test_pieces_are_spelt_as_in_the_whole_vocabulary(name):
    source, vocabulary = at_hand(name)
    spelt = spell(source)
    assert (spelt.pieces, spelt.bytes) == (vocabulary.pieces, vocabulary.bytes)
    np.testing.assert_array_equal(spelt.is_added, vocabulary.is_added)
    assert len(spelt) == len(vocabulary)
