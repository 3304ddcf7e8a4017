import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.premium import (
    gini,
    joined_ratio,
    mean_of_ratios,
    ratio_of_sums,
    require_same_variant,
)
from forensics.errors import BadInputError
from tests.auditing.tokenizers_at_hand import at_hand

lengths = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), min_size=40, max_size=80)


def slow_interval(tokens, reference, block):
    value = sum(tokens) / sum(reference)
    sums = []
    for start in range(0, len(tokens), block):
        part = range(start, min(start + block, len(tokens)))
        sums.append(sum(tokens[i] - value * reference[i] for i in part))
    variance = sum(d * d for d in sums) * len(sums) / (len(sums) - 1) / sum(reference) ** 2
    return value - 1.959964 * variance**0.5, value + 1.959964 * variance**0.5


@settings(deadline=None)
@given(lengths, st.integers(1, 5))
def test_interval_is_the_ratio_estimators(pairs, block):
    tokens, reference = np.array(pairs).T
    ratio = ratio_of_sums(tokens, reference, block=block)
    assert ratio.value == pytest.approx(tokens.sum() / reference.sum())
    assert ratio.interval == pytest.approx(
        slow_interval(tokens.tolist(), reference.tolist(), block), abs=1e-6
    )


def test_interval_covers_the_truth_of_draws_that_hang_together():
    # Lines come in runs of 5 that share a factor; true ratio 2.
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        factor = np.repeat(random.gamma(20, 0.1, 50), 5)
        reference = random.poisson(25, 250)
        tokens = random.poisson(reference * factor)
        low, high = ratio_of_sums(tokens, reference).interval
        covered += low <= 2 <= high
    assert 0.91 <= covered / 400 <= 0.98


def test_interval_equals_the_bootstrap_over_blocks():
    random = np.random.default_rng(1)
    reference = random.poisson(25, 500)
    tokens = random.poisson(reference * 1.7)
    low, high = ratio_of_sums(tokens, reference).interval
    blocks = np.arange(500).reshape(-1, 5)
    draws = [blocks[random.integers(0, 100, 100)].ravel() for _ in range(3000)]
    drawn = [tokens[draw].sum() / reference[draw].sum() for draw in draws]
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([low, high], abs=0.3 * (high - low) / 2)


def test_few_lines_have_no_interval():
    assert ratio_of_sums(np.arange(1, 36), np.arange(1, 36)).interval is None


def test_mismatch_and_emptiness_are_refused():
    with pytest.raises(BadInputError, match="3 lines against 2"):
        ratio_of_sums(np.ones(3, int), np.ones(2, int))
    with pytest.raises(BadInputError, match="no tokens"):
        ratio_of_sums(np.ones(3, int), np.zeros(3, int))


def test_variants_are_named_and_not_compared():
    source, _ = at_hand("byte_level")
    lines, reference = ["droits humains", "tous"], ["human rights", "all"]
    joined = joined_ratio(source.encoder, lines, reference)
    encode = source.encoder.encode
    assert joined.value == len(encode("droits humains tous").ids) / len(encode("human rights all").ids)
    tokens, base = np.array([4, 9]), np.array([2, 3])
    mean = mean_of_ratios(tokens, base)
    assert mean.value == pytest.approx((4 / 2 + 9 / 3) / 2)
    assert ratio_of_sums(tokens, base).value == pytest.approx(13 / 5)
    with pytest.raises(BadInputError, match=r"sum_ratio/joined.*mean_of_ratios"):
        require_same_variant(joined, mean)
    require_same_variant(mean, mean)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 50), min_size=3, max_size=3), min_size=2, max_size=6))
def test_gini_is_the_mean_difference(costs):
    means = [sum(lines) / 3 for lines in costs]
    slow = sum(abs(a - b) for a in means for b in means) / (2 * len(means) ** 2 * (sum(means) / len(means)))
    assert gini({str(i): np.array(lines) for i, lines in enumerate(costs)}) == pytest.approx(slow)
