"""Figures of how often each token occurs: Renyi efficiency, average rank, overlap of languages, NSL.

- Renyi efficiency (Zouhar et al. 2023, arXiv 2306.16842, section 3): entropy of order 2.5 over the logarithm
  of the number of types, in print that of types seen (their code) or of the declared size (TokEval). The two
  rank tokenizers differently, so both are given. It can be raised while translation gets worse (2402.14614).
- Average rank (Limisiewicz et al. 2023, arXiv 2305.17179, section 3.1): large where a language has many
  tokens of its own. It grows with the amount of text. Their code counts special tokens and line ends.
- Overlap: Jensen-Shannon divergence between two languages' tokens, in bits, 0 where they are used alike.
  A tokenizer that falls back to bytes shares them between languages, which looks like overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.auditing.languages import ParallelQuality
from forensics.auditing.premium import Ratio, ratio_of_sums
from forensics.errors import BadInputError

__all__ = [
    "NSL",
    "RENYI_ORDER",
    "RenyiEfficiency",
    "average_rank",
    "divergence",
    "lengths_against",
    "overlap",
    "renyi_efficiency",
    "renyi_entropy",
]

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

#: The order at which the authors found the best agreement with translation quality.
RENYI_ORDER = 2.5
NSL = "nsl/sum_ratio/lines/no_specials"


@dataclass(frozen=True)
class RenyiEfficiency:
    """How evenly the vocabulary is used, 1 at most."""

    #: Order of the entropy, and the entropy in bits.
    order: float
    entropy: float
    #: Divided by the logarithm of the number of types seen, and of the declared size of the vocabulary.
    of_types_seen: float
    of_declared_size: float


def renyi_entropy(counts: Int64Array, order: float = RENYI_ORDER) -> float:
    """Return the Renyi entropy of some counts in bits; order 1 is Shannon's.

    :param counts: How often each token occurs, shape (u,); zeros do not matter.
    :param order: The order, 0 or more.
    """
    shares = counts[counts > 0] / counts.sum()
    if order == 1:
        return float(-(shares * np.log2(shares)).sum())
    return float(np.log2((shares**order).sum()) / (1 - order))


def renyi_efficiency(
    counts: Int64Array, vocabulary_size: int, order: float = RENYI_ORDER
) -> RenyiEfficiency | None:
    """Return the efficiency under both denominators; None where fewer than two types occur.

    :param counts: How often each token occurs, shape (u,).
    :param vocabulary_size: Ids of the tokenizer.
    :param order: The order of the entropy.
    """
    seen = int((counts > 0).sum())
    if seen < 2:
        return None
    entropy = renyi_entropy(counts, order)
    return RenyiEfficiency(
        order, entropy, float(entropy / np.log2(seen)), float(entropy / np.log2(vocabulary_size))
    )


def average_rank(counts: Int64Array) -> float:
    """Return the mean rank of a token of the text, the most frequent having rank 0."""
    ordered = np.sort(counts[counts > 0])[::-1]
    return float((ordered * np.arange(len(ordered))).sum() / ordered.sum())


def divergence(ids: Int32Array, counts: Int64Array, other_ids: Int32Array, other_counts: Int64Array) -> float:
    """Return the Jensen-Shannon divergence of two token distributions in bits, 0 to 1.

    :param ids: Ids that occur in one text, ascending, shape (u,).
    :param counts: How often, shape (u,).
    :param other_ids: The same for the other text, shape (w,).
    :param other_counts: The same for the other text, shape (w,).
    """
    every = np.union1d(ids, other_ids)
    p, q = np.zeros(len(every)), np.zeros(len(every))
    p[np.searchsorted(every, ids)] = counts / counts.sum()
    q[np.searchsorted(every, other_ids)] = other_counts / other_counts.sum()
    middle = (p + q) / 2
    own = p[p > 0] * np.log2(p[p > 0] / middle[p > 0])
    others = q[q > 0] * np.log2(q[q > 0] / middle[q > 0])
    return float((own.sum() + others.sum()) / 2)


def overlap(quality: ParallelQuality) -> npt.NDArray[np.float64]:
    """Return the divergence of every two languages, shape (n, n), in the order of `quality.languages`."""
    found = np.zeros((len(quality.languages), len(quality.languages)))
    for row, one in enumerate(quality.languages):
        for column, other in enumerate(quality.languages[:row]):
            found[row, column] = divergence(one.ids, one.counts, other.ids, other.counts)
    return found + found.T


def lengths_against(quality: ParallelQuality, other: ParallelQuality) -> dict[str, Ratio]:
    """Return language -> tokens over those of another tokenizer on the same text (NSL), with intervals.

    Dagan et al. 2024 (arXiv 2402.01035) take Llama's tokenizer as the other one. TokLens divides by
    characters under the same name, which is another metric.

    :raises BadInputError: If the two were computed on different text.
    """
    theirs = {one.language: one for one in other.languages}
    if set(theirs) != {one.language for one in quality.languages} or quality.lines != other.lines:
        raise BadInputError(
            "the comparison", "two tokenizers measured on different text", "use the same parallel text"
        )
    return {
        one.language: ratio_of_sums(one.line_lengths, theirs[one.language].line_lengths, NSL)
        for one in quality.languages
    }
