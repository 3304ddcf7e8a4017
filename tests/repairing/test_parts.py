from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from forensics.repairing.parts import longest_parts, spellings


def slow(spelt: bytes, known: dict[bytes, int]) -> tuple[int, int] | None:
    """Return fewest parts and the longest part's length, by trying all ways of cutting."""
    best = None
    for cuts in (cut for n in range(1, len(spelt)) for cut in combinations(range(1, len(spelt)), n)):
        ends = [0, *cuts, len(spelt)]
        parts = [spelt[a:b] for a, b in pairwise(ends)]
        if all(part in known for part in parts):
            found = (len(parts), -max(map(len, parts)))
            best = found if best is None else min(best, found)
    return best


@given(
    st.text("ab", min_size=1, max_size=8).map(str.encode),
    st.sets(st.text("ab", min_size=1, max_size=4).map(str.encode), max_size=8),
)
def test_the_split_is_the_one_that_trying_everything_finds(spelt, words):
    known = {word: number for number, word in enumerate(sorted(words))}
    of = {number: word for word, number in known.items()}
    parts, wanted = longest_parts(spelt, known), slow(spelt, known)
    if wanted is None:
        assert parts == ()
    else:
        assert b"".join(of[part] for part in parts) == spelt
        assert (len(parts), -max(len(of[part]) for part in parts)) == wanted


def test_an_untrained_entry_is_no_part():
    bytes_of = (b"un", b"happy", b"unhappy", b"unh", b"appy", None)
    assert longest_parts(b"unhappy", spellings(bytes_of, [0, 1, 2, 4])) == (0, 1)
    assert longest_parts(b"unhappy", spellings(bytes_of, [0, 4])) == ()
