import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.sources.tokenizer_files.merge_recovery import last_merge, merges_from_ranks, merges_from_scores
from tests.extras import need
from tests.sources.written_tokenizers import LINES

trainer = need("tiktoken._educational")


def test_ranks_learnt_by_a_reference_trainer_give_back_its_merges():
    """The merge list of tiktoken's readable trainer is, by construction, its ranks above 255 in order."""
    ranks = trainer.bpe_train("\n".join(LINES[:3]), 340, r"\w+|\s+|[^\w\s]+", visualise=None)
    merges, by_hand = merges_from_ranks(ranks)
    assert by_hand == []
    assert [left + right for left, right in merges] == sorted(
        (token for token in ranks if len(token) > 1), key=ranks.get
    )
    assert all(max(ranks[left], ranks[right]) < ranks[left + right] for left, right in merges)


def test_a_token_that_no_earlier_merge_leads_to_is_by_hand():
    ranks = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"cba": 4}
    assert merges_from_ranks(ranks) == ([(b"a", b"b")], [b"cba"])


def test_merges_below_the_rank_only_are_applied():
    ranks = {b"a": 0, b"b": 1, b"ab": 2, b"abb": 3, b"abab": 4}
    assert last_merge(b"abab", ranks, 4) == [b"ab", b"ab"]
    assert last_merge(b"abab", ranks, 2) == [b"a", b"b", b"a", b"b"]


@given(st.lists(st.text("ab", min_size=1, max_size=4), unique=True, max_size=12))
def test_merges_from_scores_are_all_ways_in_order_of_score(pieces):
    scores = -np.arange(len(pieces), dtype=np.float32)
    ways = [(left, right) for piece in pieces for left in pieces for right in pieces if left + right == piece]
    merges = merges_from_scores(pieces, scores, range(len(pieces)))
    assert sorted(merges) == sorted(ways)
    made = [pieces.index(left + right) for left, right in merges]
    assert made == sorted(made)


def test_ids_that_take_no_part_are_in_no_merge():
    pieces = ["a", "b", "ab", "abb"]
    scores = np.zeros(4, dtype=np.float32)
    assert merges_from_scores(pieces, scores, [0, 1, 3]) == []
    assert merges_from_scores(pieces, scores, [0, 1, 2]) == [("a", "b")]
