"""A bounded sample of a stream of text."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from forensics.mixture.text_sample import BLOCK_LINES, sample_blocks


@given(st.lists(st.text("ab \n\x0cé\ud800\u2028", max_size=60), max_size=8), st.integers(0, 3))
def test_text_that_fits_is_returned_as_it_is(texts: list[str], seed: int) -> None:
    assert sample_blocks(texts, seed, most=10_000) == "".join(texts)


def test_blocks_are_whole_distinct_in_order_and_below_the_bound() -> None:
    lines = [f"line {number}\n" for number in range(40 * BLOCK_LINES)]
    kept = sample_blocks(["".join(lines[:700]), "".join(lines[700:])], 1, most=5_000)
    assert 4_000 < len(kept.encode()) <= 5_000
    numbers = [int(line.split()[1]) for line in kept.splitlines()]
    assert numbers == sorted(set(numbers))
    # Neighbours follow each other within a block; only where one ends another may begin.
    assert all(after == number + 1 for number, after in pairwise(numbers) if (number + 1) % BLOCK_LINES)
    assert kept == sample_blocks(
        ["".join(lines)[:0], "".join(lines[:700]), "".join(lines[700:])], 1, most=5_000
    )
    assert kept != sample_blocks(["".join(lines)], 2, most=5_000)


def test_every_part_of_the_text_has_the_same_chance() -> None:
    text = "".join(f"{number // 1000}\n" for number in range(10_000))
    drawn = "".join(sample_blocks([text], seed, most=2_000) for seed in range(60))
    counts = [drawn.count(f"{digit}\n") for digit in range(10)]
    # 60 draws of 20 of 200 blocks: 120 blocks of each tenth are expected, with a standard deviation of 10.
    assert all(abs(count / BLOCK_LINES - 120) < 45 for count in counts)


def test_one_endless_line_is_cut_at_a_character() -> None:
    assert sample_blocks(["é" * 1_000], most=101) == "é" * 50


def test_memory_is_that_of_the_sample() -> None:
    def stream() -> Iterator[str]:
        for number in range(200):
            yield f"{number} {'x' * 98}\n" * 1_000

    tracemalloc.start()
    try:
        kept = sample_blocks(stream(), most=200_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(kept) <= 200_000
    assert peak < 2_000_000  # of 20 MB of text
