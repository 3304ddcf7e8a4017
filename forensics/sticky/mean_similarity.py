"""`u`: the mean cosine between any two vocabulary entries, to which similarities are said to stick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.progress import Progress
from forensics.sticky.interface import Encoder

__all__ = ["mean_token_similarity"]

#: Entries embedded between two reports of progress.
_BLOCK = 1024


def mean_token_similarity(
    encoder: Encoder,
    entries: Sequence[str],
    progress: Progress | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> float:
    """Return the mean pairwise cosine of all entries, each embedded as a text (Chen et al. 2025, section 3).

    Pairs of an entry with itself count, as in the authors' program. The mean over all pairs of unit
    vectors is the squared length of their mean, so no `V x V` matrix is needed.

    :param encoder: The model.
    :param entries: The vocabulary entries as stored (`##ing`, `[PAD]`).
    :param sample: Estimate it, without bias, from this many random entries; None embeds all.
    :param seed: What the sample is drawn from.
    """
    progress = progress or Progress()
    size = len(entries)
    if sample is not None and sample < size:
        chosen = np.random.default_rng([seed, size]).choice(size, size=sample, replace=False)
        entries = [entries[i] for i in np.sort(chosen)]
    contents = encoder.tokenize(entries)
    # Longest first would need the most memory at once; equal lengths together make full batches.
    order = sorted(range(len(contents)), key=lambda i: (len(contents[i]), i))
    total: np.ndarray = np.zeros(0)
    with progress.stage("mean token similarity", len(entries), "entries") as stage:
        for start in range(0, len(order), _BLOCK):
            part = order[start : start + _BLOCK]
            summed = encoder.embed([contents[i] for i in part]).astype(np.float64).sum(axis=0)
            total = summed if total.size == 0 else total + summed
            stage.advance(len(part))
    count = len(entries)
    mean = total / count
    if count == size:
        return float(mean @ mean)
    # Pairs of an entry with itself are a larger share of the sample's pairs than of all.
    others = (float(total @ total) - count) / (count * (count - 1))
    return others + (1 - others) / size
