"""Documents dealt out, tokenizers simulated on them, and the intervals that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.mixture.bootstrap import (
    Intervals,
    bootstrap_intervals,
    intervals_of,
    merge_simulator,
    simulated,
)
from forensics.mixture.document_counts import DocumentCounts, count_documents, piles_of
from forensics.mixture.simulation import deal
from forensics.vocabulary.merge_list import build_merge_list
from tests.extras import need
from tests.mixture.test_infer import BY_LINE, NAMES, sides

need("highspy")
need("numba")

LETTERS = [chr(number) for number in range(0x21, 0x17F)]
ATOMS = build_merge_list([("a", "b")], LETTERS)
#: That of a tokenizer that fits as well as can be.
MISFIT = 0.0
SHARES = dict(zip(NAMES, (0.3, 0.5, 0.0, 0.2), strict=True))


def documents(name: str, length: int = 30) -> list[str]:
    lines = sides(name)[1].splitlines(keepends=True)
    return ["".join(lines[at : at + length]) for at in range(0, len(lines), length)]


@pytest.fixture(scope="module")
def counts() -> DocumentCounts:
    return count_documents({name: documents(name) for name in NAMES}, BY_LINE, ATOMS)


def intervals(counts: DocumentCounts, used: int, **options: int) -> Intervals:
    return bootstrap_intervals(counts, SHARES, MISFIT, merge_simulator(counts, ATOMS, used), **options)


def test_piles_hold_all_documents_in_order_and_none_is_cut() -> None:
    texts = [f"{number:03d}\n" * (1 + number % 7) for number in range(50)]
    piles = piles_of(texts, 8)
    assert "".join(piles) == "".join(texts)
    assert len(piles) == 8
    assert all(pile.startswith(tuple(texts)) for pile in piles)
    assert max(map(len, piles)) < 2 * min(map(len, piles))
    assert piles_of(["a" * 100, "b", "c"], 8)[0] == "a" * 100
    assert piles_of([], 8) == []


def test_the_counts_of_the_piles_add_up_to_those_of_the_text(counts: DocumentCounts) -> None:
    text = "".join(documents(NAMES[1]))
    words = BY_LINE.chunks(text)
    whole = sum(len(BY_LINE.split_chunk(chunk)) for chunk in words)
    assert counts.counts[:, counts.category == 1].sum() == whole
    assert counts.nbytes[counts.category == 1].sum() == len(text.encode())


def test_documents_are_dealt_to_two_sides_of_equal_size(counts: DocumentCounts) -> None:
    training, given = deal(counts, np.random.default_rng(0))
    np.testing.assert_array_equal(training, ~given)
    for number in range(len(NAMES)):
        own = counts.category == number
        one, other = (counts.nbytes[own & side].sum() for side in (training, given))
        assert one == pytest.approx(other, rel=0.4)
        # Neighbours go together: on the circle there are two borders between the sides.
        assert (training[own] != np.roll(training[own], 1)).sum() == 2


def test_every_pile_is_dealt_to_either_side_as_often(counts: DocumentCounts) -> None:
    times = np.sum([deal(counts, np.random.default_rng(seed))[0] for seed in range(300)], axis=0)
    # 150 are expected, with a standard deviation of 9.
    assert np.abs(times - 150).max() < 45


def test_intervals_hold_their_estimate_and_repeat_with_the_seed(counts: DocumentCounts) -> None:
    found = intervals(counts, used=300, repeats=4, seed=1)
    for name, share in SHARES.items():
        each = found.ends[name]
        assert 0 <= each.low <= share <= each.high <= 1
        assert 0 < each.sd < 0.1
        # A share estimated at nought may still be more.
        assert each.high > share
    assert found.groups["languages"].low < 0.8 < found.groups["languages"].high
    assert found.refused == ()
    assert found == intervals(counts, used=300, repeats=4, seed=1, jobs=2)
    assert found != intervals(counts, used=300, repeats=4, seed=2)


def test_a_category_of_two_documents_is_not_judged() -> None:
    texts = {name: documents(name) for name in NAMES}
    texts[NAMES[0]] = ["".join(texts[NAMES[0]][::2]), "".join(texts[NAMES[0]][1::2])]
    few = count_documents(texts, BY_LINE, ATOMS)
    found = intervals(few, used=200, repeats=3)
    assert found.refused == (NAMES[0],)
    assert (found.ends[NAMES[0]].low, found.ends[NAMES[0]].high) == (0, 1)
    assert (found.groups["languages"].low, found.groups["languages"].high) == (0, 1)
    assert found.ends[NAMES[3]].high < 1
    assert found.documents[NAMES[0]] == pytest.approx(2, abs=0.1)


def test_a_tokenizer_that_fits_worse_than_simulated_ones_has_wider_intervals(counts: DocumentCounts) -> None:
    share = np.array(list(SHARES.values()))
    made = simulated(merge_simulator(counts, ATOMS, 200), share, repeats=4, seed=1)
    usual = float(np.mean([each.misfit for each in made]))
    good, same, bad = (intervals_of(counts, share, factor * usual, made) for factor in (0.5, 1, 3))
    assert (good.raised, same.raised, bad.raised) == pytest.approx((1, 1, 3))
    assert good.ends == same.ends
    for name in NAMES:
        assert bad.ends[name].sd == pytest.approx(3 * good.ends[name].sd)


def test_passages_that_belong_together_do_not_count_as_documents() -> None:
    generator = np.random.default_rng(0)
    words = ["".join(each) for each in generator.choice(list("abcdefghij"), (400, 5))]

    def texts(runs: int) -> list[str]:
        """Return 160 passages of which as many neighbours as there are in a run share their vocabulary."""
        own = [generator.choice(words, 20) for _ in range(runs)]
        return [" ".join(generator.choice(own[at * runs // 160], 50)) + "\n" for at in range(160)]

    many, few = texts(160), texts(10)
    found = count_documents({"many": many, "few": few}, BY_LINE, ATOMS).documents
    assert found[0] > 40
    assert 5 < found[1] < 20


def test_unlike_documents_make_wide_intervals(counts: DocumentCounts) -> None:
    unlike = {name: documents(name) for name in NAMES}
    shouted = len(unlike[NAMES[3]]) // 2
    unlike[NAMES[3]] = [text.upper() if at < shouted else text for at, text in enumerate(unlike[NAMES[3]])]
    apart = count_documents(unlike, BY_LINE, ATOMS)
    wide, narrow = (intervals(each, used=300, repeats=8, seed=3) for each in (apart, counts))
    assert wide.ends[NAMES[3]].sd > 2 * narrow.ends[NAMES[3]].sd


def test_merges_of_another_list_are_applied_before_those_that_are_learned(counts: DocumentCounts) -> None:
    merges = build_merge_list([("e", "r"), ("e", "n"), ("i", "n")], LETTERS)
    texts = {name: documents(name) for name in NAMES}
    again = count_documents(texts, BY_LINE, merges)
    found = bootstrap_intervals(
        again, SHARES, MISFIT, merge_simulator(again, merges, 200, skip=3), repeats=3, seed=1
    )
    assert all(np.isfinite(each.sd) for each in found.ends.values())
