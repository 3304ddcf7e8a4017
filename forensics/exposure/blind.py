"""Judges that never saw the model: what text alone tells of the question that is put to the model.

Two sets of texts that differ in style are told apart by any score, and by none better than by one that reads
the texts: a bag of words reaches an area under the curve of .99 on WikiMIA, where the best score of a model
has .84 (Das, Zhang and Tramer 2024, arXiv 2406.16201). Lines that belong together follow each other in the
published order, and a model prefers that order without having seen it. So both questions are put to text
first: characters in groups of three, hashed, and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["DIMENSIONS", "blind_scores", "hashed_trigrams", "neighbour_likeness"]

Float64Array = npt.NDArray[np.float64]

#: Places that groups of characters are hashed to, folds of the ridge, and its penalty.
DIMENSIONS, FOLDS, PENALTY = 2**15, 5, 1.0


def hashed_trigrams(texts: Sequence[str]) -> csr_matrix:
    """Return one row of unit length per text: square roots of the counts of groups of three characters.

    :param texts: A text of fewer than three characters is one group.
    :return: Shape (n, DIMENSIONS).
    """
    from scipy.sparse import csr_matrix

    places: list[int] = []
    ends = [0]
    for text in texts:
        spelt = text if len(text) >= 3 else f"{text:<3}"
        groups = (spelt[at : at + 3] for at in range(len(spelt) - 2))
        places += [zlib.crc32(group.encode("utf-8", "surrogatepass")) % DIMENSIONS for group in groups]
        ends.append(len(places))
    counts = csr_matrix((np.ones(len(places)), places, ends), shape=(len(texts), DIMENSIONS))
    counts.sum_duplicates()
    counts.data = np.sqrt(counts.data)
    norms = np.sqrt(counts.multiply(counts).sum(axis=1)).A1
    counts.data /= np.repeat(norms, np.diff(counts.indptr))
    return counts


def blind_scores(
    texts: Sequence[str], controls: Sequence[str], rng: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Return what a ridge on groups of characters says of every text, each fold judged by the other four.

    :param texts: One set, at least five.
    :param controls: The other, at least five.
    :param rng: Draws the folds.
    :return: Scores of the texts and of the controls; higher means more like a text.
    """
    rows = hashed_trigrams([*texts, *controls])
    kernel = np.asarray((rows @ rows.T).todense())
    labels = np.repeat([1.0, -1.0], [len(texts), len(controls)])
    # Within each set, so that every fold has its share of both.
    folds = np.concatenate([rng.permutation(np.arange(n) % FOLDS) for n in (len(texts), len(controls))])
    found = np.empty(len(labels))
    for fold in range(FOLDS):
        held, rest = folds == fold, folds != fold
        centre = labels[rest].mean()
        within = kernel[np.ix_(rest, rest)] + PENALTY * np.eye(int(rest.sum()))
        weights = np.linalg.solve(within, labels[rest] - centre)
        found[held] = centre + kernel[np.ix_(held, rest)] @ weights
    return found[: len(texts)], found[len(texts) :]


def neighbour_likeness(
    lines: Sequence[str], shards: Sequence[slice], rng: np.random.Generator, draws: int
) -> tuple[float, float, float]:
    """Return how alike neighbouring lines are, how alike in random order on average, and p of the difference.

    Lines are shuffled within their shard, as they are for the model.

    :param lines: The data set in its order.
    :param shards: Its stretches, each of at least two lines.
    :param rng: The run's generator.
    :param draws: Random orders; p is at least 1 / (draws + 1).
    """
    observed, shuffled = 0.0, np.zeros(draws)
    for shard in shards:
        rows = hashed_trigrams(lines[shard])
        kernel = np.asarray((rows @ rows.T).todense())
        observed += float(np.diagonal(kernel, 1).sum())
        for draw in range(draws):
            order = rng.permutation(len(kernel))
            shuffled[draw] += kernel[order[:-1], order[1:]].sum()
    pairs = sum(shard.stop - shard.start - 1 for shard in shards)
    at_least = int((shuffled >= observed - 1e-9).sum())
    return observed / pairs, float(shuffled.mean() / pairs), (1 + at_least) / (1 + draws)
