"""Which vocabularies are one, and which begin with another: against lists compared piece by piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forensics.catalogue.vocabularies import LEAST_PART, beginnings, group

PIECES = st.lists(st.sampled_from([b"", b"a", b"b", b"ab"]), min_size=1, max_size=6)


def begins(long: list[bytes], short: list[bytes]) -> bool:
    return LEAST_PART * len(long) <= len(short) < len(long) and long[: len(short)] == short


@given(st.lists(PIECES, max_size=7))
def test_groups_are_those_that_comparing_every_two_gives(vocabularies: list[list[bytes]]) -> None:
    named = {f"run{i}": pieces for i, pieces in enumerate(vocabularies)}
    found = group({name: beginnings(pieces) for name, pieces in named.items()})
    distinct = [list(each) for each in dict.fromkeys(map(tuple, vocabularies))]
    assert [named[each.names[0]] for each in found] == distinct
    for each, pieces in zip(found, distinct, strict=True):
        assert each.pieces == len(pieces)
        assert each.names == tuple(name for name, other in named.items() if other == pieces)
        shorter = [other for other in distinct if begins(pieces, other)]
        wanted = max(shorter, key=len) if shorter else None
        assert (None if each.begins_with is None else distinct[each.begins_with]) == wanted


def test_pieces_are_not_run_together() -> None:
    one, other = beginnings([b"ab", b"c"]), beginnings([b"a", b"bc"])
    assert len(group({"one": one, "other": other})) == 2


def test_a_vocabulary_without_pieces_has_no_group() -> None:
    assert group({"empty": beginnings([])}) == []
