"""Pre-tokens counted by document, for all categories at once: what simulations deal out.

Neighbouring documents are joined into piles of about the same size, `MOST_PILES` to a category at most; a
document that is larger than a pile stays whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.mixture.pair_spelling import SpeltWords, spell_words
from forensics.mixture.pretokens import PretokenCounts
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.splitting import Splitter

if TYPE_CHECKING:
    from scipy import sparse

__all__ = [
    "LEAST_DOCUMENTS",
    "MOST_PILES",
    "DocumentCounts",
    "Piles",
    "WordPiles",
    "count_documents",
    "count_words",
    "piles_of",
    "trace",
]

FloatArray = npt.NDArray[np.float64]

#: With fewer documents (of equal size) too little tells how unlike those of a category are: in a trial with
#: four to five of each of three kinds of English the intervals held in two of five cases.
LEAST_DOCUMENTS = 6
#: Piles of documents that a category is counted in.
MOST_PILES = 64
#: Runs of neighbouring piles whose counts are compared with those of single piles, and the words looked at.
RUNS, COMMON_WORDS = 8, 1000


@dataclass(frozen=True, eq=False)
class Piles:
    """Piles of documents, D of them, that simulations deal out."""

    #: The categories, n of them.
    names: tuple[str, ...]
    #: The category of every pile, shape (D,).
    category: npt.NDArray[np.int64]
    #: Bytes of text of every pile, shape (D,).
    nbytes: FloatArray
    #: Documents of every category, shape (n,): as many unlike ones of equal size as would count as much.
    documents: FloatArray


@dataclass(frozen=True, eq=False)
class WordPiles(Piles):
    """How often every distinct pre-token of any category occurs in every pile."""

    #: The distinct pre-tokens, W of them.
    words: tuple[str, ...]
    #: How often each occurs in each pile, shape (W, D).
    counts: sparse.csr_array


@dataclass(frozen=True, eq=False)
class DocumentCounts(Piles):
    """The same with the pre-tokens in the symbols of a merge list."""

    #: The distinct pre-tokens, W of them, in symbols; their own counts mean nothing.
    words: SpeltWords
    #: How often each occurs in each pile, shape (W, D).
    counts: sparse.csr_array


def piles_of(documents: Sequence[str], most: int = MOST_PILES) -> list[str]:
    """Return documents joined with their neighbours into at most `most` piles of about equal size."""
    sizes = np.cumsum([len(document) for document in documents])
    if not len(sizes) or sizes[-1] == 0:
        return []
    # A document lies in the pile in which its middle lies.
    middles = sizes - np.diff(sizes, prepend=0) / 2
    pile = np.minimum((middles * most / sizes[-1]).astype(np.int64), most - 1)
    return [
        "".join(documents[at] for at in np.flatnonzero(pile == number).tolist()) for number in np.unique(pile)
    ]


def count_documents(
    documents: Mapping[str, Sequence[str]],
    splitter: Splitter,
    merges: MergeList,
    respell: Callable[[PretokenCounts], PretokenCounts] | None = None,
    most: int = MOST_PILES,
) -> DocumentCounts:
    """Return the pre-tokens of all documents in the symbols of a merge list, counted by pile.

    :param documents: The documents of every category, in order.
    :param splitter: How text is cut.
    :param merges: The list in whose symbols the pre-tokens are spelt.
    :param respell: Applied to the pre-tokens of every pile.
    :param most: Piles to a category.
    """
    counted = count_words(documents, splitter, respell, most)
    spelt = spell_words(dict.fromkeys(counted.words, 1), merges)
    return DocumentCounts(
        counted.names, counted.category, counted.nbytes, counted.documents, spelt, counted.counts
    )


def count_words(
    documents: Mapping[str, Sequence[str]],
    splitter: Splitter,
    respell: Callable[[PretokenCounts], PretokenCounts] | None = None,
    most: int = MOST_PILES,
) -> WordPiles:
    """Return the pre-tokens of all documents, counted by pile; see `count_documents`."""
    from scipy import sparse

    rows: dict[str, int] = {}
    row, column, value = list[int](), list[int](), list[int]()
    category, nbytes = list[int](), list[int]()
    by_size = [_effective(texts) for texts in documents.values()]
    for number, texts in enumerate(documents.values()):
        # What cannot be judged is dealt out all the same, for the sake of the other categories.
        parts = texts if by_size[number] >= LEAST_DOCUMENTS else "".join(texts).splitlines(keepends=True)
        for pile in piles_of(parts, most):
            counted = PretokenCounts("", _words(pile, splitter), 0)
            for word, count in (respell(counted) if respell else counted).words.items():
                row.append(rows.setdefault(word, len(rows)))
                value.append(count)
            column += [len(category)] * (len(row) - len(column))
            category.append(number)
            nbytes.append(len(pile.encode("utf-8", "surrogatepass")))
    shape = (len(rows), len(category))
    counts = sparse.csr_array((np.array(value, dtype=np.float64), (row, column)), shape=shape)
    sizes, of = np.array(nbytes, dtype=np.float64), np.array(category, dtype=np.int64)
    unlike = [_unlike(counts[:, of == number], sizes[of == number]) for number in range(len(documents))]
    return WordPiles(
        names=tuple(documents),
        category=of,
        nbytes=sizes,
        documents=np.minimum(by_size, unlike),
        words=tuple(rows),
        counts=counts,
    )


def _unlike(counts: sparse.csr_array, sizes: FloatArray) -> float:
    """Return how many of a category's piles are unlike their neighbours; infinite where piles are too few.

    What stands between two blank lines need not be a document: the functions of one program follow each
    other. Of independent piles, the counts of words in runs of neighbours vary as much as those in single
    piles, for their size; where they vary twice as much, there are half as many.

    :param counts: How often every word occurs in every pile, shape (W, D).
    :param sizes: Bytes of every pile, shape (D,).
    """
    if len(sizes) < 4 * RUNS:
        return np.inf
    total = counts.sum(axis=1)
    common = np.argsort(-total, kind="stable")[:COMMON_WORDS]
    rest = counts[common].toarray() - np.outer(total[common] / sizes.sum(), sizes)
    run = (np.arange(len(sizes)) * RUNS) // len(sizes)
    runs = rest @ np.eye(RUNS)[run]
    weight = 1 / np.maximum(total[common], 1.0)
    single = float(weight @ np.square(rest).sum(axis=1)) * len(sizes) / (len(sizes) - 1)
    joined = float(weight @ np.square(runs).sum(axis=1)) * RUNS / (RUNS - 1)
    return _of_equal_size(sizes) / max(1.0, joined / max(single, 1e-300))


def _effective(documents: Sequence[str]) -> float:
    """Return as how many documents of equal size these count."""
    return _of_equal_size(np.array([len(document) for document in documents], dtype=np.float64))


def _of_equal_size(sizes: FloatArray) -> float:
    """Return as how many of equal size these count: where one outweighs all others it is nearly one."""
    return float(sizes.sum() ** 2 / max(1.0, float(np.square(sizes).sum())))


def _words(text: str, splitter: Splitter) -> Counter[str]:
    words: Counter[str] = Counter()
    for chunk, count in Counter(splitter.chunks(text)).items():
        for word in splitter.split_chunk(chunk):
            words[word] += count
    return words


def trace(
    words: SpeltWords,
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    result: npt.NDArray[np.int32],
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return how often every word holds each merge at its turn, (T, W), and each pair at the end, (P, W).

    What a text of these words says about the merges is a product with how often it has each word.

    :param words: Distinct pre-tokens.
    :param left: Left parts of the merges, shape (T,).
    :param right: Right parts.
    :param result: What they make.
    """
    from scipy import sparse

    from forensics.mixture.kernel import pair_table
    from forensics.mixture.trainer import trace_words

    steps, word, windows, rest, ends = trace_words(
        words.flat, words.offsets, left, right, result, *pair_table(left, right)
    )
    learned = sparse.csr_array((windows.astype(np.float64), (steps, word)), shape=(len(left), len(words)))
    of = np.repeat(np.arange(len(words)), np.diff(ends))
    pairs = (of[1:] == of[:-1]) & (rest[1:] >= 0) & (rest[:-1] >= 0)
    keys = (rest[:-1][pairs].astype(np.int64) << 32) | rest[1:][pairs]
    distinct, place = np.unique(keys, return_inverse=True)
    at = (place, of[1:][pairs])
    return learned, sparse.csr_array((np.ones(len(place)), at), shape=(len(distinct), len(words)))
