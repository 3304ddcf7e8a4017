"""Sentence pairs of the published procedure: unlike sentences, spread evenly below the mean similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sticky.interface import Encoder, Float64Array

__all__ = ["SentencePair", "pairs_of_sentences", "remark_on_cut_texts", "select_pairs", "spread_over_range"]

#: Targets reach from the least similarity this far towards `u` (the authors' program).
REACH = 0.8


@dataclass(frozen=True)
class SentencePair:
    """Two sentences and the cosine of their embeddings, as given or as measured."""

    sentence1: str
    sentence2: str
    similarity: float


def pairs_of_sentences(
    encoder: Encoder, sentences: Sequence[str], u: float, count: int, where: str
) -> list[SentencePair]:
    """Return `count` pairs among `sentences` (each pair in one order, as listed)."""
    vectors = encoder.embed(encoder.tokenize(sentences)).astype(np.float64)
    left, right = np.triu_indices(len(sentences), k=1)
    similarities = (vectors @ vectors.T)[left, right]
    chosen = spread_over_range(similarities, u, count, where)
    return [
        SentencePair(sentences[left[k]], sentences[right[k]], float(similarities[k])) for k in chosen.tolist()
    ]


def select_pairs(pairs: Sequence[SentencePair], u: float, count: int, where: str) -> list[SentencePair]:
    """Return `count` of `pairs`, spread over the similarities below `u`."""
    chosen = spread_over_range(np.array([pair.similarity for pair in pairs]), u, count, where)
    return [pairs[k] for k in chosen.tolist()]


def spread_over_range(similarities: Float64Array, u: float, count: int, where: str) -> npt.NDArray[np.int64]:
    """Return indices of the pairs nearest to `count` equally spaced targets, each pair once.

    Targets reach from the least similarity to 0.8 of the way from there to `u`; only pairs below `u` are
    taken. Where two targets have the same nearest pair, the later one takes the next nearest.

    :raises BadInputError: If fewer than `count` pairs lie below `u`.
    """
    below = np.flatnonzero(similarities < u)
    if len(below) < count:
        raise BadInputError(
            where,
            f"{len(below)} of {len(similarities)} pairs have a similarity below u = {u:.4f}, "
            f"{count} are needed",
            "give more sentences, or ask for fewer with `pairs_score` and `pairs_validate`",
        )
    values = similarities[below]
    least = float(values.min())
    free = np.ones(len(below), dtype=bool)
    chosen = []
    for target in np.linspace(least, least + REACH * (u - least), count):
        nearest = int(np.argmin(np.where(free, np.abs(values - target), np.inf)))
        free[nearest] = False
        chosen.append(int(below[nearest]))
    return np.array(chosen, dtype=np.int64)


def remark_on_cut_texts(
    encoder: Encoder, pairs: Sequence[SentencePair], copies: int, where: str
) -> str | None:
    """Return how many of the pairs have a text that the model does not see whole, None if none has.

    The published procedure hands such texts to `encode`, which cuts them; so does this one.

    :param encoder: The model.
    :param pairs: The pairs that are used.
    :param copies: Copies of a token in a text, each at least one token.
    :param where: What the pairs are, for the remark.
    """
    first = np.array(encoder.lengths([pair.sentence1 for pair in pairs]))
    second = np.array(encoder.lengths([pair.sentence2 for pair in pairs]))
    plain = int((np.maximum(first, second) > encoder.window).sum())
    filled = int((np.maximum(first, second + copies) > encoder.window).sum())
    if not filled:
        return None
    return (
        f"{where}: of {len(pairs)} pairs used, {plain} hold a sentence of more than the {encoder.window:,} "
        f"tokens that the model sees, {filled} with {copies} copies in it. Such texts are cut as `encode` "
        "does, so that copies after a sentence may be lost."
    )
