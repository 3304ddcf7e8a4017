"""Whether one merge list goes on from another, as Llama 3's does from GPT-4's."""

from __future__ import annotations

from forensics.vocabulary.merge_list import MergeList, shared_prefix

__all__ = ["LEAST_SHARED", "goes_on_from"]

#: Share of the shorter list that must be common for one list to go on from the other. Any two lists share
#: their first merges (Claude's and GPT-4's 18); Llama 3's list has all of GPT-4's, Qwen3's 99 % (all but the
#: numbers).
LEAST_SHARED = 0.5


def goes_on_from(merges: MergeList, others: MergeList) -> tuple[int, bool]:
    """Return how many merges at the start both lists have, and whether `merges` goes on from `others`."""
    shared = shared_prefix(merges, others)
    return shared, shared >= LEAST_SHARED * min(len(merges), len(others))
