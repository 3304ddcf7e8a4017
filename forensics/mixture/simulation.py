"""Simulated tokenizers: trained on some documents of every category, inferred from the others.

What a user gives are other documents than the tokenizer saw. So the documents of each category are dealt out
to two sides of equal size; a tokenizer is trained on one side, mixed in given shares, and those shares are
inferred from the other side. Pre-tokens are counted once for all simulations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.mixture.clumping import clumping_of
from forensics.mixture.curve import CurveFit, fit_curve
from forensics.mixture.document_counts import DocumentCounts, Piles, trace

__all__ = ["Simulation", "deal", "simulate"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Occurrences that a simulated training text has: counts are whole numbers in a trainer.
_OCCURRENCES = 1e12


@dataclass(frozen=True, eq=False)
class Simulation:
    """One simulated tokenizer. Shares are of bytes."""

    #: Trained with, shape (n,).
    made_with: FloatArray
    #: Inferred, shape (n,).
    found: FloatArray
    #: Mean deviation of its merges or pieces from the curve, in the units of the fit.
    misfit: float


def simulate(
    counts: DocumentCounts,
    merges: int,
    first_new: int,
    share: FloatArray,
    seed: np.random.SeedSequence,
) -> Simulation:
    """Train a tokenizer on one side of the documents and infer its mixture from the other.

    :param counts: The documents.
    :param merges: Merges to learn.
    :param first_new: The first symbol number that is free.
    :param share: Shares of bytes to train with, shape (n,), sum to 1.
    :param seed: Seed of the deal.
    """
    from forensics.mixture.trainer import learn_merges

    training, given = deal(counts, np.random.default_rng(seed))
    n = len(counts.names)
    size = np.bincount(counts.category, counts.nbytes * training, n)
    weights = training * (share / size)[counts.category]
    text = counts.counts @ weights
    whole = np.rint(text * (_OCCURRENCES / text.sum())).astype(np.int64)
    left, right = learn_merges(counts.words.flat, counts.words.offsets, whole, first_new, merges)
    fit = _fitted(counts, left, right, first_new, given)
    return Simulation(share, fit.alpha, fit.misfit)


def deal(counts: Piles, generator: np.random.Generator) -> tuple[BoolArray, BoolArray]:
    """Return which piles are for training and which are given, shapes (D,): some half of the bytes each.

    Either side is one run of neighbours. With two runs each, taking turns, more documents that belong
    together, such as the files of a program, come to lie on both sides.

    :param counts: The documents.
    :param generator: Source of chance.
    """
    sides = np.zeros((2, len(counts.category)), dtype=np.bool_)
    for number in range(len(counts.names)):
        piles = np.flatnonzero(counts.category == number)
        # On a circle, so that no part of the text is dealt out more often than another.
        piles = np.roll(piles, int(generator.integers(len(piles))))
        middles = np.cumsum(counts.nbytes[piles]) - counts.nbytes[piles] / 2
        training = middles < counts.nbytes[piles].sum() / 2
        if training.all() or not training.any():  # one pile outweighs the others
            training = np.arange(len(piles)) < max(1, len(piles) // 2)
        sides[0, piles[training]] = True
        sides[1, piles[~training] if len(piles) > 1 else piles] = True
    return sides[0], sides[1]


def _fitted(
    counts: DocumentCounts,
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    first_new: int,
    given: BoolArray,
) -> CurveFit:
    """Return the curve's fit to what the given documents say of the merges, in shares of bytes."""
    made = np.arange(first_new, first_new + len(left), dtype=np.int32)
    learned, leftovers = trace(counts.words, left, right, made)
    clumping = clumping_of(counts, learned, given)
    side = np.zeros((len(given), len(counts.names)))
    side[np.arange(len(given)), counts.category] = given
    size = counts.nbytes @ side
    text = counts.counts @ side
    W, rest = (learned @ text) / size, (leftovers @ text) / size
    steps = np.flatnonzero(W.sum(axis=1) > 0)
    return fit_curve(W[steps], rest, steps=steps, variance=clumping[steps] * W[steps] ** 2)
