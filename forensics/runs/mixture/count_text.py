"""Counting the text of all categories for `mixture`: in parallel, and once only.

A category's pre-token counts are kept under the hash of its files, the way they are cut and the bound on
its size, so that a second run with other options starts at the inference.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from forensics.files import write_atomically
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.progress import Progress
from forensics.runs.frame.cluster import DASK_SECONDS, cluster
from forensics.sources.texts.corpora import Corpus, content_hash, read_corpus
from forensics.vocabulary.splitting import Splitter

__all__ = ["count_categories"]

#: Raise when the form of the cached counts, the meaning of the key or the reading of text changes.
_FORMAT = 2


def count_categories(
    corpora: Sequence[Corpus],
    splitter: Splitter,
    *,
    max_bytes: int | None = None,
    cache: Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    progress: Progress | None = None,
) -> list[PretokenCounts]:
    """Return the pre-token counts of every category, in order.

    :param corpora: The categories.
    :param splitter: How text is cut.
    :param max_bytes: Text read of each at most.
    :param cache: Folder of counts made before; None keeps nothing.
    :param jobs: Processes that count at a time.
    :param dask: Address of a Dask scheduler that does the counting; it must see the same paths.
    :param progress: Where to report.
    :raises BadInputError: If a file cannot be read.
    :raises OptionError: If no scheduler answers at `dask`.
    :raises MissingExtraError: If `dask` is given and distributed is not installed.
    """
    from joblib import Parallel, delayed, parallel_config

    progress = progress or Progress()
    work = delayed(_count)
    tasks = [work(corpus, splitter, max_bytes, cache) for corpus in corpora]
    found = []
    with progress.stage("count text", len(corpora), "categories") as stage:
        if dask is None:
            for counts in Parallel(n_jobs=jobs, return_as="generator")(tasks):
                found.append(counts)
                stage.advance()
        else:
            with (
                cluster(dask, "mixture", "counting on a Dask cluster", DASK_SECONDS),
                parallel_config(backend="dask"),
            ):
                found = Parallel(n_jobs=-1)(tasks)
            stage.advance(len(found))
    return found


def _count(corpus: Corpus, splitter: Splitter, max_bytes: int | None, cache: Path | None) -> PretokenCounts:
    """Return the counts of one category, from the cache if they are there."""
    if cache is None:
        return count_pretokens(corpus.name, read_corpus(corpus, max_bytes), splitter)
    key = json.dumps([_FORMAT, content_hash(corpus), splitter.fingerprint, max_bytes])
    file = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.counts"
    kept = _kept_counts(file, corpus.name)
    if kept is not None:
        return kept
    counts = count_pretokens(corpus.name, read_corpus(corpus, max_bytes), splitter)
    data = zlib.compress(json.dumps(asdict(counts)).encode("ascii"), level=3)
    write_atomically(file, lambda stream: stream.write(data))
    return counts


def _kept_counts(file: Path, name: str) -> PretokenCounts | None:
    """Return the counts kept in a file of the cache; None if there are none, or it is damaged."""
    try:
        kept = json.loads(zlib.decompress(file.read_bytes()))
        counts = PretokenCounts(**{**kept, "name": name})
    except (OSError, zlib.error, ValueError, TypeError, RecursionError):
        return None  # whatever is wrong with it, it is counted anew and written again
    if not isinstance(counts.words, dict):
        return None
    numbers = (*counts.words.values(), counts.nbytes, counts.dropped)
    return counts if all(type(number) is int for number in numbers) else None
