"""The tree over the merges: nodes that stand for stretches of steps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.mixture.master import tree_cover, tree_links

stretches = st.integers(1, 70).flatmap(
    lambda leaves: st.tuples(
        st.just(leaves),
        st.lists(
            st.tuples(st.integers(0, leaves - 1), st.integers(1, leaves)).map(
                lambda ends: (min(ends), max(ends[0] + 1, ends[1]))
            ),
            max_size=8,
        ),
    )
)


def leaves_below(node: int, leaves: int) -> list[int]:
    """Return the steps under a node by walking down the links."""
    parent, child = (each.tolist() for each in tree_links(leaves))
    if node >= leaves:
        return [node - leaves]
    return [step for p, c in zip(parent, child, strict=True) if p == node for step in leaves_below(c, leaves)]


@given(stretches)
def test_the_nodes_of_a_stretch_have_its_steps_below_them(case: tuple[int, list[tuple[int, int]]]) -> None:
    leaves, wanted = case
    start, stop = (np.array([each[end] for each in wanted], dtype=np.int64) for end in (0, 1))
    of, nodes = tree_cover(start, stop, leaves)
    found: list[list[int]] = [[] for _ in wanted]
    for stretch, node in zip(of.tolist(), nodes.tolist(), strict=True):
        found[stretch] += leaves_below(node, leaves)
    assert [sorted(steps) for steps in found] == [list(range(a, b)) for a, b in wanted]
    assert len(nodes) <= len(wanted) * max(1, 2 * int(leaves).bit_length())


def test_every_node_but_the_root_has_one_parent() -> None:
    for leaves in range(1, 20):
        assert sorted(tree_links(leaves)[1].tolist()) == list(range(2, 2 * leaves))
