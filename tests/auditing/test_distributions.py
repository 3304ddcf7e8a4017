import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.distributions import (
    average_rank,
    divergence,
    lengths_against,
    overlap,
    renyi_efficiency,
    renyi_entropy,
)
from forensics.auditing.languages import audit_languages
from forensics.errors import BadInputError
from tests.auditing.test_languages import PARALLEL
from tests.auditing.tokenizers_at_hand import at_hand

counts = st.lists(st.integers(0, 60), min_size=2, max_size=12).filter(lambda found: sum(found) > 0)


@settings(deadline=None)
@given(counts, st.sampled_from([0.5, 1, 2, 2.5, 3]))
def test_renyi_entropy_by_its_definition(found, order):
    shares = [n / sum(found) for n in found if n]
    if order == 1:
        slow = -sum(p * np.log2(p) for p in shares)
    else:
        slow = np.log2(sum(p**order for p in shares)) / (1 - order)
    assert renyi_entropy(np.array(found), order) == pytest.approx(slow, abs=1e-12)


def test_uniform_use_of_all_is_efficiency_one():
    found = renyi_efficiency(np.full(8, 5), 64)
    assert found.of_types_seen == pytest.approx(1)
    assert found.of_declared_size == pytest.approx(0.5)
    assert renyi_efficiency(np.array([7]), 64) is None


@settings(deadline=None)
@given(counts)
def test_average_rank_by_walking_the_ranks(found):
    ranks = sorted((n for n in found if n), reverse=True)
    assert average_rank(np.array(found)) == pytest.approx(
        sum(rank * n for rank, n in enumerate(ranks)) / sum(ranks)
    )


@settings(deadline=None)
@given(counts, counts)
def test_divergence_is_scipys_distance_squared(first, second):
    from scipy.spatial.distance import jensenshannon

    size = max(len(first), len(second))
    p, q = np.zeros(size), np.zeros(size)
    p[: len(first)], q[: len(second)] = first, second
    ids, other = np.flatnonzero(p), np.flatnonzero(q)
    measured = divergence(ids, p[ids].astype(int), other, q[other].astype(int))
    assert measured == pytest.approx(jensenshannon(p, q, 2) ** 2, abs=1e-9)


def test_overlap_is_symmetric_and_nil_with_itself():
    quality = audit_languages(*at_hand("byte_level"), PARALLEL)
    found = overlap(quality)
    assert np.allclose(found, found.T) and np.allclose(np.diag(found), 0)
    names = [one.language for one in quality.languages]
    english, french, chinese = (names.index(name) for name in ("eng_Latn", "fra_Latn", "zho_Hans"))
    assert found[english, french] < found[english, chinese]


def test_lengths_against_another_tokenizer():
    own, other = (audit_languages(*at_hand(name), PARALLEL) for name in ("byte_level", "smollm2"))
    found = lengths_against(own, other)
    for one in own.languages:
        theirs = next(each for each in other.languages if each.language == one.language)
        assert found[one.language].value == pytest.approx(one.tokens / theirs.tokens)
        low, high = found[one.language].interval
        assert low <= found[one.language].value <= high
    few = audit_languages(*at_hand("smollm2"), {"eng_Latn": PARALLEL["eng_Latn"]})
    with pytest.raises(BadInputError, match="different text"):
        lengths_against(own, few)
