"""The ordinary text of a scan in the tokenizer's ids: for the second look; counted where it is the user's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.progress import Progress
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.undertrained.emission import Ids
from forensics.undertrained.loss_by_count import spread_stretches

__all__ = ["TEXT_BYTES", "OrdinaryText", "counted_text", "uncounted_text"]

#: Text of one category that is read at most: some four million tokens, of which each verified token needs
#: four occurrences.
TEXT_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class OrdinaryText:
    """Text by category, in pieces of ids; what is not counted can be gone through once."""

    categories: Iterable[Iterable[Ids]]
    #: Stretches that lie far apart, for the model to be read on; none where the text is not counted.
    stretches: tuple[npt.NDArray[np.int64], ...] = ()
    #: How often each token occurs outside of them, shape (V,); None where the text is not counted.
    counts: npt.NDArray[np.int64] | None = None


def uncounted_text(corpora: Sequence[Corpus], source: TokenizerSource, rows: int) -> OrdinaryText:
    """Return text that is encoded when it is gone through, if ever.

    :param corpora: The categories.
    :param source: The tokenizer.
    :param rows: Tokens that the model has a row for.
    """
    return OrdinaryText(_encoded(corpus, source, rows) for corpus in corpora)


def counted_text(
    corpora: Sequence[Corpus], source: TokenizerSource, rows: int, progress: Progress
) -> OrdinaryText:
    """Return text that is encoded at once, kept and counted.

    :param corpora: The categories.
    :param source: The tokenizer.
    :param rows: Tokens that the model has a row for.
    :param progress: Where to report.
    """
    with progress.stage("count text"):
        categories = [
            [np.asarray(ids, dtype=np.int32) for ids in _encoded(corpus, source, rows)] for corpus in corpora
        ]
        counts = np.zeros(rows, dtype=np.int64)
        for piece in (piece for pieces in categories for piece in pieces):
            counts += np.bincount(piece, minlength=rows)
        streams = [np.concatenate(pieces) for pieces in categories if pieces]
        stretches = tuple(spread_stretches(streams))
        for stretch in stretches:
            counts -= np.bincount(stretch, minlength=rows)
    return OrdinaryText(categories, stretches, counts)


def _encoded(corpus: Corpus, source: TokenizerSource, rows: int) -> Iterator[Sequence[int]]:
    """Yield the ids of each piece of a category's text, cut where the model has no row for one."""
    for text in read_corpus(corpus, TEXT_BYTES):
        ids = np.asarray(source.encoder.encode_batch_fast([text], add_special_tokens=False)[0].ids)
        for part in np.split(ids, np.flatnonzero(ids >= rows)):
            yield part[part < rows].tolist()
