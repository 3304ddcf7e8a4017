"""Intervals by simulation: tokenizers are trained on some of the documents and inferred from the others.

The text that a user gives is other text than the tokenizer saw, so what has to be simulated is how unlike
the documents of a category are (`simulation`). The spread and the bias of inferred shares around those a
simulated tokenizer was trained with, both in one root mean square, are the error of the estimate. They are
taken as they are, though a simulation has half of the text on either side: by how much the error would fall
with the whole of it depends on documents that nobody gave. Where the real tokenizer fits worse than the
simulated ones, its text was less like the given text than the given documents are like each other, and the
error is raised by as much. Shares are drawn around the estimate, or a category estimated at nought would be
simulated at nought for ever. The quantile is Student's, since a spread that was seen between few documents
or in few simulations is itself uncertain.

A category of few documents (`LEAST_DOCUMENTS`) cannot be judged: nothing tells how unlike another would be.
Its interval is all shares, and so is that of its group.

How often the intervals hold the truth is measured in benchmarks/mixture_coverage.py: results/mixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from forensics.mixture.document_counts import LEAST_DOCUMENTS, DocumentCounts, Piles
from forensics.mixture.pair_spelling import SpeltWords
from forensics.mixture.piece_inference import PieceList
from forensics.mixture.piece_simulation import PieceDocuments, simulate_pieces
from forensics.mixture.simulation import Simulation, simulate
from forensics.vocabulary.merge_list import MergeList

__all__ = [
    "Interval",
    "Intervals",
    "Simulator",
    "bootstrap_intervals",
    "intervals_of",
    "merge_simulator",
    "piece_simulator",
    "simulated",
]

FloatArray = npt.NDArray[np.float64]
#: Shares of bytes, shape (n,), and a seed -> a tokenizer trained with them.
Simulator = Callable[[FloatArray, np.random.SeedSequence], Simulation]

#: Probability that an interval is meant to hold the truth with.
LEVEL = 0.95
#: How much of a random mixture is mixed into the estimate for every simulation.
JITTER = 0.1
#: No standard deviation below this: simulated shares have no more digits.
LEAST_SD = 1e-4


@dataclass(frozen=True)
class Interval:
    """A nominal 95 % interval of a share."""

    #: Lower end, at least 0.
    low: float
    #: Upper end, at most 1.
    high: float
    #: Root mean square error of the share; infinite where it cannot be judged.
    sd: float


@dataclass(frozen=True)
class Intervals:
    """Intervals of all shares, and what they rest on."""

    #: By category.
    ends: Mapping[str, Interval]
    #: By group, where categories have one.
    groups: Mapping[str, Interval]
    #: Documents that were dealt out, by category: as many unlike ones of equal size as would count as much.
    documents: Mapping[str, float]
    #: By which factor the errors were raised, at least 1: how much worse than simulated tokenizers the real
    #: one fits.
    raised: float

    @property
    def refused(self) -> tuple[str, ...]:
        """The categories that cannot be judged."""
        return tuple(name for name, each in self.ends.items() if not np.isfinite(each.sd))


def bootstrap_intervals(
    piles: Piles,
    proportions: Mapping[str, float],
    misfit: float,
    simulator: Simulator,
    *,
    repeats: int,
    seed: int = 0,
    jobs: int = 1,
    on_repeat: Callable[[], None] | None = None,
) -> Intervals:
    """Return a nominal 95 % interval for every share and every group of shares.

    :param piles: The documents of the categories.
    :param proportions: The estimated shares.
    :param misfit: Mean deviation of merges or pieces from the curve there.
    :param simulator: What makes a tokenizer of them, see `merge_simulator` and `piece_simulator`.
    :param repeats: How many tokenizers are simulated.
    :param seed: Seed of the generator.
    :param jobs: Processes.
    :param on_repeat: Called after each repeat.
    """
    share = np.array([proportions[name] for name in piles.names])
    made = simulated(simulator, share, repeats=repeats, seed=seed, jobs=jobs, on_repeat=on_repeat)
    return intervals_of(piles, share, misfit, made)


def merge_simulator(counts: DocumentCounts, merges: MergeList, used: int, skip: int = 0) -> Simulator:
    """Return what trains tokenizers that merge.

    :param counts: The documents, spelt in the symbols of the list.
    :param merges: The tokenizer's list.
    :param used: Merges that simulated tokenizers learn.
    :param skip: Merges of the list that are applied before.
    """
    counts = replace(counts, words=_applied(counts.words, merges.head(skip)))
    return partial(simulate, counts, used, len(merges.symbols))


def piece_simulator(documents: PieceDocuments, pieces: PieceList, used: int) -> Simulator:
    """Return what makes vocabularies of pieces that are found in text without merges.

    :param documents: The documents.
    :param pieces: The vocabulary.
    :param used: Pieces that are explained.
    """
    return partial(simulate_pieces, documents, pieces, used)


def simulated(
    simulator: Simulator,
    share: FloatArray,
    *,
    repeats: int,
    seed: int = 0,
    jobs: int = 1,
    on_repeat: Callable[[], None] | None = None,
) -> list[Simulation]:
    """Return simulated tokenizers of mixtures around the estimate; see `bootstrap_intervals`.

    :param share: The estimate, shape (n,).
    """
    from joblib import Parallel, delayed

    work = delayed(simulator)
    tasks = [work(_near(share, each), each) for each in np.random.SeedSequence(seed).spawn(repeats)]
    made: list[Simulation] = []
    for simulation in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        made.append(simulation)
        if on_repeat is not None:
            on_repeat()
    return made


def _near(share: FloatArray, seed: np.random.SeedSequence) -> FloatArray:
    """Return shares around the estimate; another stream than that of the deal."""
    generator = np.random.default_rng([*seed.generate_state(2).tolist(), 1])
    return (1 - JITTER) * share + JITTER * generator.dirichlet(np.ones(len(share)))


def _applied(words: SpeltWords, merges: MergeList) -> SpeltWords:
    """Return the words as they are after these merges."""
    if not len(merges):
        return words
    from forensics.mixture.kernel import apply_merges, pair_table

    table = pair_table(merges.left, merges.right)
    _, rest, ends = apply_merges(
        words.flat, words.offsets, words.counts, merges.left, merges.right, merges.result, *table
    )
    return SpeltWords(rest, ends, words.counts)


def intervals_of(counts: Piles, share: FloatArray, misfit: float, made: Sequence[Simulation]) -> Intervals:
    """Return the intervals that simulated tokenizers give.

    :param counts: The documents they were made of.
    :param share: The estimate, shape (n,).
    :param misfit: Mean deviation of merges or pieces from the curve there.
    :param made: The simulations.
    """
    errors = np.array([each.found - each.made_with for each in made])
    raised = max(1.0, misfit / max(float(np.mean([each.misfit for each in made])), 1e-300))
    few = counts.documents < LEAST_DOCUMENTS
    sums = _membership(counts.names)
    names = [*counts.names, *sums]
    # Groups are sums of categories, errors and all.
    members = np.vstack([np.eye(len(share)), *sums.values()])
    sd = np.maximum(np.sqrt(np.mean(np.square(errors @ members.T), axis=0)) * raised, LEAST_SD)
    sd[members @ few > 0] = np.inf
    freedom = _freedom(counts, members, len(made))
    ends = [
        _interval(float(centre), float(width), float(degrees))
        for centre, width, degrees in zip(members @ share, sd, freedom, strict=True)
    ]
    n = len(share)
    return Intervals(
        ends=dict(zip(names[:n], ends[:n], strict=True)),
        groups=dict(zip(names[n:], ends[n:], strict=True)),
        documents=dict(zip(counts.names, counts.documents.tolist(), strict=True)),
        raised=raised,
    )


def _interval(centre: float, sd: float, degrees: float) -> Interval:
    from scipy.stats import t

    if not np.isfinite(sd):
        return Interval(0.0, 1.0, sd)
    width = float(t.ppf((1 + LEVEL) / 2, degrees)) * sd
    return Interval(max(0.0, centre - width), min(1.0, centre + width), sd)


def _membership(names: Sequence[str]) -> dict[str, FloatArray]:
    """Return group -> which categories are in it, shape (n,), for names like `code/python`."""
    groups = [name.partition("/")[0] if "/" in name else None for name in names]
    return {
        group: np.array([each == group for each in groups], dtype=np.float64)
        for group in dict.fromkeys(groups)
        if group is not None
    }


def _freedom(counts: Piles, members: FloatArray, repeats: int) -> FloatArray:
    """Return how many independent pieces of evidence every spread rests on, at least 1."""
    own = (members @ np.maximum(counts.documents - 1, 1.0)) / members.sum(axis=1)
    return np.asarray(np.minimum(repeats, own), dtype=np.float64)
