"""Whether the way text is cut can be that of the training: merges that it can never form say no."""

from __future__ import annotations

import numpy as np

from forensics.mixture.result import Mixture
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unlearned import Unlearned

__all__ = ["MOST_UNFORMABLE", "cutting_doubts"]

#: Share of the merges looked at that the way of cutting can never form, above which it is not the one of
#: the training. Under their own rule GPT-2, GPT-NeoX, Falcon, SmolLM2, cl100k_base, o200k_base and Claude
#: have none; of the first 3,000 merges of GPT-2's list the rules of others forbid 1.6 to 3.7 %, of
#: cl100k_base's GPT-2's rule 11 %.
MOST_UNFORMABLE = 0.01


def cutting_doubts(
    merges: MergeList, unlearned: Unlearned, splitter: Splitter, mixture: Mixture
) -> list[str]:
    """Return why the way of cutting text is not that of the training; empty if nothing says so."""
    looked_at = slice(mixture.skipped, _end(merges, mixture))
    never = int(unlearned.unformable[looked_at].sum())
    whole = looked_at.stop - looked_at.start
    if never <= MOST_UNFORMABLE * whole:
        return []
    return [
        f"{never:,} of {whole:,} merges can never be formed in text cut by {splitter.origin}: they were "
        "learned under another rule"
    ]


def _end(merges: MergeList, mixture: Mixture) -> int:
    """Return the number of the first merge after those that were looked at."""
    asked = np.flatnonzero(~merges.aside[mixture.skipped :])[: mixture.merges_used]
    return mixture.skipped + int(asked[-1]) + 1
