"""A bounded sample of a stream of documents."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from forensics.mixture.text_sample import sample_documents


@given(st.lists(st.text("ab \n\x0cé\ud800\u2028", max_size=60), max_size=8), st.integers(0, 3))
def test_documents_that_fit_are_all_returned(documents: list[str], seed: int) -> None:
    assert sample_documents(documents, seed, most=10_000) == documents


def test_documents_are_whole_distinct_in_order_and_below_the_bound() -> None:
    documents = [f"document {number}\n" * 20 for number in range(100)]
    kept = sample_documents(documents, 1, most=5_000)
    assert 4_000 < sum(map(len, kept)) <= 5_000
    assert kept == sorted(set(kept), key=documents.index)
    assert kept == sample_documents(iter(documents), 1, most=5_000)
    assert kept != sample_documents(documents, 2, most=5_000)


def test_every_document_has_the_same_chance() -> None:
    documents = [f"{number // 10}\n" * 10 for number in range(100)]
    drawn = [text for seed in range(60) for text in sample_documents(documents, seed, most=400)]
    counts = [drawn.count(f"{digit}\n" * 10) for digit in range(10)]
    # 60 draws of 20 of 100 documents: 120 of each ten are expected, with a standard deviation of 9.
    assert all(abs(count - 120) < 42 for count in counts)


def test_one_endless_document_is_cut_at_a_character() -> None:
    assert sample_documents(["é" * 1_000], most=101) == ["é" * 50]


def test_memory_is_that_of_the_sample() -> None:
    def stream() -> Iterator[str]:
        for number in range(200):
            yield f"{number} {'x' * 98}\n" * 1_000

    tracemalloc.start()
    try:
        kept = sample_documents(stream(), most=200_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(map(len, kept)) <= 200_000
    assert peak < 2_000_000  # of 20 MB of text
