"""The documents of a category: what is written by one hand at one time, as far as its files say.

A record of a JSON lines or Parquet file is one document. So is a plain text file where a category has many
of them (`MANY_FILES`); where it has few, each is a collection, and what stands between blank lines is one
document. A collection without a blank line does not say where its documents end: it is given in blocks of
`BLOCK` characters, cut at line ends, and `Division.BLOCKS` says so.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from forensics.sources.texts.corpora import Corpus
from forensics.sources.texts.text_pieces import Form, form_of, pieces_of, records_of

__all__ = ["BLOCK", "MANY_FILES", "Division", "division_of", "read_documents"]

#: A category of so many files has a document in each.
MANY_FILES = 8
#: Characters of a block where nothing says where a document ends.
BLOCK = 5_000
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
#: Where a collection is looked at to see whether it has blank lines.
_LOOK = 2**20


class Division(StrEnum):
    """What a category's documents are."""

    RECORDS = "records"
    FILES = "files"
    #: What stands between blank lines.
    PASSAGES = "passages"
    #: Blocks of `BLOCK` characters: nothing says where a document ends.
    BLOCKS = "blocks"


def division_of(corpus: Corpus) -> Division:
    """Return what the documents of a category are.

    :raises BadInputError: If a file cannot be read.
    """
    if all(form_of(file) in (Form.JSON_LINES, Form.PARQUET) for file in corpus.files):
        return Division.RECORDS
    if len(corpus.files) >= MANY_FILES:
        return Division.FILES
    texts = (file for file in corpus.files if form_of(file) not in (Form.JSON_LINES, Form.PARQUET))
    blank = any(_BLANK_LINE.search(next(pieces_of(file), "")[:_LOOK]) for file in texts)
    return Division.PASSAGES if blank else Division.BLOCKS


def read_documents(corpus: Corpus, max_bytes: int | None = None) -> Iterator[str]:
    """Yield the documents of a category, each ending at a line end; together they are its text.

    :param corpus: The category.
    :param max_bytes: Stop after this many bytes of UTF-8, at the end of a line.
    :raises BadInputError: If a file cannot be read or is not UTF-8.
    """
    left, division = max_bytes, division_of(corpus)
    for file in corpus.files:
        for document in _documents(file, division):
            data = document.encode("utf-8")
            if left is not None and len(data) > left:
                cut = data[:left].decode("utf-8", "ignore")
                if cut := cut[: cut.rfind("\n") + 1] or cut:
                    yield cut
                return
            left = None if left is None else left - len(data)
            yield document


def _documents(file: Path, division: Division) -> Iterator[str]:
    if form_of(file) in (Form.JSON_LINES, Form.PARQUET):
        return records_of(file)
    if division is Division.FILES:
        return iter(["".join(pieces_of(file))])
    return _passages(file) if division is Division.PASSAGES else _blocks(file)


def _passages(file: Path) -> Iterator[str]:
    """Yield what stands between blank lines, with the blank lines behind it."""
    held: list[str] = []
    closed = False
    for line in _lines(file):
        if closed and line.strip():
            yield "".join(held)
            held = []
        held.append(line)
        closed = not line.strip()
    if held:
        yield "".join(held)


def _blocks(file: Path) -> Iterator[str]:
    """Yield blocks of whole lines, each of `BLOCK` characters or a little more."""
    held: list[str] = []
    length = 0
    for line in _lines(file):
        held.append(line)
        length += len(line)
        if length >= BLOCK:
            yield "".join(held)
            held, length = [], 0
    if held:
        yield "".join(held)


def _lines(file: Path) -> Iterator[str]:
    for piece in pieces_of(file):
        # Only U+000A ends a line, as everywhere in the counting.
        yield from io.StringIO(piece, newline="\n")
