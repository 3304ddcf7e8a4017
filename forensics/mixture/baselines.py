"""The two baselines of the source: what is guessed without looking at the merges.

Hayase et al. 2024, section 4.1. Tokenizer encoding efficiency (TEE) takes the bytes per token that the
tokenizer reaches on a category for a sign of how much of it there was; token classification (TC) gives
every token of the vocabulary to the category in which it is most frequent. Both are far from the truth
(benchmarks/mixture_accuracy.py) and are reported for comparison only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forensics.mixture.counts import MergeCounts

__all__ = ["encoding_efficiency", "token_classification"]

FloatArray = npt.NDArray[np.float64]


def encoding_efficiency(counts: Sequence[MergeCounts], nbytes: Sequence[int]) -> FloatArray:
    """Return shares in proportion to the bytes per token of every category, sum to 1.

    The source takes the efficiency against that of a tokenizer trained on the category alone and fits a
    log-log model on tokenizers of known mixtures (benchmarks/mixture_accuracy.py --regression does); without
    such, as here, the plain ratio is all the efficiency says.
    """
    efficiency = np.array([size / max(1, part.tokens) for part, size in zip(counts, nbytes, strict=True)])
    return np.asarray(efficiency / efficiency.sum(), dtype=np.float64)


def token_classification(counts: Sequence[MergeCounts], nbytes: Sequence[int]) -> FloatArray:
    """Return the share of merged tokens that are most frequent in each category, sum to 1."""
    rates = np.stack([part.learned / size for part, size in zip(counts, nbytes, strict=True)], axis=1)
    seen = rates[rates.sum(axis=1) > 0]
    if not len(seen):
        return np.full(len(counts), 1 / len(counts))
    return np.asarray(np.bincount(seen.argmax(axis=1), minlength=len(counts)) / len(seen), dtype=np.float64)
