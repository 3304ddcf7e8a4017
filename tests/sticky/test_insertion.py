from hypothesis import given
from hypothesis import strategies as st

from forensics.sticky.insertion import Mode, draw_slots, insert_ids


@given(
    content=st.lists(st.integers(0, 50), max_size=12).map(tuple),
    mode=st.sampled_from(list(Mode)),
    copies=st.integers(1, 9),
    seed=st.integers(0, 5),
)
def test_insertion_keeps_the_text_and_adds_exactly_the_copies(content, mode, copies, seed):
    slots = draw_slots(len(content), copies, (seed,))
    out = insert_ids(content, 99, mode, slots)
    assert tuple(i for i in out if i != 99) == content
    assert out.count(99) == copies


def test_insertion_places_each_copy_at_its_slot():
    assert insert_ids((1, 2, 3), 9, Mode.INSERTION, (0, 2, 3)) == (9, 1, 2, 9, 3, 9)
    assert insert_ids((1, 2), 9, Mode.SUFFIX, (0, 0)) == (1, 2, 9, 9)


def test_slots_depend_on_the_seed_alone():
    assert draw_slots(10, 8, (1, 2)) == draw_slots(10, 8, (1, 2)) != draw_slots(10, 8, (1, 3))
