"""The second look of a scan: verified tokens in ordinary text, the user's or the package's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.progress import Progress
from forensics.runs.scan.examined import Examined
from forensics.runs.scan.prompting import Prompting
from forensics.schema.words import Role
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.undertrained.search_plan import SearchResult

if TYPE_CHECKING:
    from forensics.undertrained.second_look import SecondLook

__all__ = ["TEXT_BYTES", "look_in_text"]

#: Text of one category that is read at most: some four million tokens, of which each verified token needs
#: four occurrences.
TEXT_BYTES = 16 * 2**20


def look_in_text(
    examined: Examined,
    prompting: Prompting,
    corpora: Sequence[Corpus],
    result: SearchResult,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondLook | None:
    """Return what ordinary text says of the tokens that verify; None where none does.

    :param examined: The sources; the tokenizer encodes the text.
    :param prompting: The model.
    :param corpora: Ordinary text by category.
    :param result: What the prompts showed; controls are no finding and are left out.
    :param rng: The run's generator; draws the occurrences.
    :param progress: Where to report.
    """
    from forensics.undertrained.emission import WINDOW
    from forensics.undertrained.second_look import look_again

    verified = [
        token
        for token, evidence in result.evidence.items()
        if evidence.verdict.is_verified and result.roles[token] is not Role.CONTROL
    ]
    if not verified:
        return None
    positions = prompting.positions
    room = WINDOW if positions is None else min(WINDOW, positions - len(prompting.start))
    with progress.stage("ordinary text"):
        texts = (_encoded(corpus, examined.source, prompting.rows) for corpus in corpora)
        return look_again(prompting.reader, verified, texts, rng, start=prompting.start, window=room)


def _encoded(corpus: Corpus, source: TokenizerSource, rows: int) -> Iterator[list[int]]:
    """Yield the ids of each piece of a category's text, cut where the model has no row for one."""
    for text in read_corpus(corpus, TEXT_BYTES):
        ids = np.asarray(source.encoder.encode_batch_fast([text], add_special_tokens=False)[0].ids)
        for part in np.split(ids, np.flatnonzero(ids >= rows)):
            yield part[part < rows].tolist()
