"""Simulated vocabularies without merges: frequencies of pieces in some documents, shares from the others.

At the end of EM a Unigram model's probabilities are the expected frequencies of its pieces in the training
text, under that very model. So are those of a simulated one, whose training text are some of the given
documents, mixed in given shares: the pieces and how they are found in text stay those of the tokenizer, and
what training would have left of that text are its counts. In a vocabulary in the order of frequency they are
the order. Counts are made once for all simulations.

What is not simulated is that training fitted the scores to more pieces than it kept: what the others had of a
text falls to those kept, in one category more than in another. It stands in the simulation as a random
factor for every category (`SCALE_ERROR`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.mixture.curve import fit_curve
from forensics.mixture.document_counts import MOST_PILES, Piles, count_words
from forensics.mixture.piece_inference import LEAST_EXPLAINED, PieceList
from forensics.mixture.result import Reading
from forensics.mixture.simulation import Simulation, deal
from forensics.vocabulary.splitting import Splitter

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["PieceDocuments", "count_pieces", "simulate_pieces"]

FloatArray = npt.NDArray[np.float64]

#: By how much a category's pieces are more or less frequent in its own training text than their scores say,
#: as the standard deviation of a log. In 40 shares of languages (by line, 4,000 pieces, trials from 1000 on
#: of benchmarks/mixture_pieces.py) the errors were nearly twice the simulated ones without it, and as
#: large with 0.02; a little more is taken.
SCALE_ERROR = 0.03


@dataclass(frozen=True, eq=False)
class PieceDocuments(Piles):
    """How often every piece occurs in every pile of documents."""

    #: (Expected) counts, shape (T, D).
    pieces: sparse.csc_array
    #: Tokens of every pile, those of unknown characters among them, shape (D,).
    tokens: FloatArray
    #: Those of them that are explained pieces, shape (D,).
    explained: FloatArray


def count_pieces(
    documents: Mapping[str, Sequence[str]], splitter: Splitter, pieces: PieceList, most: int = MOST_PILES
) -> PieceDocuments:
    """Return the pieces of all documents, counted by pile.

    :param documents: The documents of every category, in order.
    :param splitter: How text is cut.
    :param pieces: The vocabulary.
    :param most: Piles to a category.
    """
    from scipy import sparse

    counted = count_words(documents, splitter, most=most)
    by_pile = counted.counts.tocsc()
    columns, tokens, explained = [], [], []
    for start, stop in zip(by_pile.indptr[:-1], by_pile.indptr[1:], strict=True):
        words = {
            counted.words[word]: int(count)
            for word, count in zip(by_pile.indices[start:stop], by_pile.data[start:stop], strict=True)
        }
        found = pieces.counter.count(words)
        columns.append(sparse.csc_array(found.pieces[:, None]))
        tokens.append(found.tokens)
        explained.append(found.pieces[~pieces.aside].sum())
    return PieceDocuments(
        names=counted.names,
        category=counted.category,
        nbytes=counted.nbytes,
        documents=counted.documents,
        pieces=sparse.hstack(columns, format="csc"),
        tokens=np.array(tokens),
        explained=np.array(explained),
    )


def simulate_pieces(
    documents: PieceDocuments, pieces: PieceList, used: int, share: FloatArray, seed: np.random.SeedSequence
) -> Simulation:
    """Take frequencies from one side of the documents and infer their mixture from the other.

    :param documents: The documents.
    :param pieces: The vocabulary.
    :param used: Pieces to explain, the most frequent.
    :param share: Shares of bytes of the training text, shape (n,), sum to 1.
    :param seed: Seed of the deal.
    """
    n = len(documents.names)
    generator = np.random.default_rng(seed)
    training, given = (
        side[:, None] * np.eye(n)[documents.category] for side in deal(documents, generator)
    )  # (D, n) each
    is_scored = pieces.reading is Reading.SCORES
    shown = share * np.exp(SCALE_ERROR * generator.standard_normal(n)) if is_scored else share
    left = (documents.pieces @ training / (documents.nbytes @ training)) @ shown  # (T,)
    W = documents.pieces @ given / (documents.nbytes @ given)
    explained = np.flatnonzero(~pieces.aside & (left > 0))
    order = explained[np.argsort(-left[explained], kind="stable")][:used]
    steps = np.flatnonzero(W[order].sum(axis=1) > 0)
    rows = order[steps]
    seen = np.arange(n)
    if not is_scored:
        share_explained = documents.explained @ given / np.maximum(documents.tokens @ given, 1.0)
        seen = np.flatnonzero(share_explained >= LEAST_EXPLAINED)
    form = left[rows] if is_scored else None
    fit = fit_curve(W[rows][:, seen], np.empty((0, len(seen))), steps=steps, form=form)
    found = np.zeros(n)
    found[seen] = fit.alpha
    return Simulation(share, found, fit.misfit)
