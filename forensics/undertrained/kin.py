"""Kin: tokens whose rows nearly coincide, of which some can be read to the end for all.

Rows that training never moved differ by little more than their initialisation. Where the probes show none of
such a group, and those of it that go through every prompt in full show nothing either, the rest will not:
two witnesses that know nothing of each other, the rows and the probes, say the same. It is acceptance
sampling and no theorem. So every group is sampled evenly, one reader who shows itself sends the whole group
through the prompts, and how many readers there were, and how many of them showed themselves, is counted.

This is the project's own; the paper (Land and Bartolo 2024, arXiv 2405.05417) verifies every candidate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["KIN_TOLERANCE", "KinGroup", "Rows"]

#: Largest distance of kin, in every matrix, as a share of the root mean square distance of rows from their
#: mean. In Qwen2.5-Coder-0.5B the 128 most suspicious rows lie 0.05 apart in the median, and those of ranks
#: 1,921 to 2,048 0.27; of 1,280 random rows of the calmer half, by 128, no two were nearer than 0.81.
KIN_TOLERANCE = 1 / 3
#: Tokens of a group that are read to the end: one in so many, and at least so many. With a block of 128 in
#: one group that is 8, so a group of which a third would show itself passes in 4 of 100 blocks; one of which
#: few would is caught only over many blocks, which is why all readers are counted together.
READ_ONE_IN, READ_AT_LEAST = 16, 4
#: Rows looked at together: a whole matrix in float64 could be gigabytes.
_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class KinGroup:
    """Some tokens with nearly the same rows."""

    #: Read to the end, evenly spread over the group.
    readers: tuple[int, ...]
    #: Those they may speak for.
    others: tuple[int, ...]


class Rows:
    """The rows of a model's matrices, and which of them are kin."""

    def __init__(self, model: Any) -> None:
        """Take the model's matrices; how far apart their rows are is measured when it is first asked.

        :param model: A causal language model with transformers' interface.
        """
        matrices = (model.get_input_embeddings(), model.get_output_embeddings())
        weights = {id(m.weight): m.weight for m in matrices if m is not None}
        #: The different matrices, each (V, d).
        self._weights = list(weights.values())

    @cached_property
    def _reach(self) -> list[float]:
        import torch

        with torch.inference_mode():
            return [KIN_TOLERANCE * _spread(weight) for weight in self._weights]

    def kin(self, tokens: Sequence[int]) -> list[KinGroup]:
        """Return the groups among `tokens` that are large enough for some to be spoken for.

        The first token of a group leads it; a token joins the first leader that is near in every matrix.

        :param tokens: Token ids, in an order that does not depend on what was found of them.
        """
        if len(tokens) <= READ_AT_LEAST:
            return []
        near = self._near(tokens)
        groups: dict[int, list[int]] = {}
        for place in range(len(tokens)):
            leader = next((each for each in groups if near[place][each]), place)
            groups.setdefault(leader, []).append(place)
        split = (_split([tokens[place] for place in group]) for group in groups.values())
        return [group for group in split if group.others]

    def _near(self, tokens: Sequence[int]) -> list[list[bool]]:
        """Return which pairs of `tokens` lie within reach in every matrix, (n, n)."""
        import torch

        near = torch.ones(len(tokens), len(tokens), dtype=torch.bool)
        with torch.inference_mode():
            for weight, reach in zip(self._weights, self._reach, strict=True):
                rows = weight[torch.tensor(tokens, device=weight.device)].float()  # (n, d)
                # A broken row is near to nothing: a comparison with NaN is false.
                near &= (torch.cdist(rows, rows) <= reach).cpu()
        listed: list[list[bool]] = near.tolist()
        return listed


def _spread(weight: Any) -> float:
    """Return the root mean square distance of the finite rows of `weight` from their mean."""
    import torch

    count, squares = 0, 0.0
    total = torch.zeros(weight.shape[1], dtype=torch.float64, device=weight.device)
    for block in weight.split(_BLOCK_ROWS):
        rows = block.double()
        rows = rows[rows.isfinite().all(dim=1)]
        count += len(rows)
        squares += float(rows.square().sum())
        total += rows.sum(dim=0)
    if not count:
        return 0.0
    return math.sqrt(max(0.0, squares / count - float((total / count).square().sum())))


def _split(group: Sequence[int]) -> KinGroup:
    """Choose the readers of a group: evenly spread, the leader among them."""
    count = max(READ_AT_LEAST, -(-len(group) // READ_ONE_IN))
    if count >= len(group):
        return KinGroup(tuple(group), ())
    places = {round(i * (len(group) - 1) / (count - 1)) for i in range(count)}
    readers = tuple(token for place, token in enumerate(group) if place in places)
    return KinGroup(readers, tuple(token for place, token in enumerate(group) if place not in places))
