"""Sentences and sentence pairs for the sticky-token analysis: the user's files, or those of the package."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_text

__all__ = ["RetrievalSet", "default_sentences", "read_pairs", "read_sentences", "retrieval_set"]

_DATA = "forensics.data"
_DEFAULT = ("sticky_sentences_a.txt", "sticky_sentences_b.txt")


@dataclass(frozen=True)
class RetrievalSet:
    """Queries, documents, and which document answers which query."""

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    #: Index of the one relevant document of each query.
    relevant: tuple[int, ...]


def read_sentences(path: Path) -> list[str]:
    """Return the distinct sentences of a text file, one a line, in their order.

    :raises BadInputError: If the file cannot be read or holds no sentence.
    """
    lines = (line.strip() for line in read_text(path).removeprefix("\ufeff").splitlines())
    sentences = list(dict.fromkeys(line for line in lines if line))
    if not sentences:
        raise BadInputError(path, "holds no sentence", "give a UTF-8 text file with one sentence a line")
    return sentences


def read_pairs(path: Path) -> list[tuple[str, str, float | None]]:
    """Return the pairs of a CSV file with the columns `sentence1,sentence2,similarity`.

    The similarity is the model's cosine; where it is empty the caller measures it.

    :raises BadInputError: If a column is missing, a value is no number, or there is no pair.
    """
    reader = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff"), newline=""))
    missing = [c for c in ("sentence1", "sentence2", "similarity") if c not in (reader.fieldnames or [])]
    if missing:
        found = f"has no column {', '.join(missing)}"
        raise BadInputError(path, found, "give a CSV with the columns sentence1,sentence2,similarity")
    pairs = []
    for row in reader:
        first, second = (row["sentence1"] or "").strip(), (row["sentence2"] or "").strip()
        value = (row["similarity"] or "").strip()
        if not first or not second:
            found = f"line {reader.line_num} lacks a sentence"
            raise BadInputError(path, found, "fill both sentences or remove the line")
        try:
            pairs.append((first, second, float(value) if value else None))
        except ValueError as error:
            found = f"line {reader.line_num} has the similarity {value[:40]!r}"
            raise BadInputError(
                path, found, "give a number, or leave it empty to have it measured"
            ) from error
    if not pairs:
        raise BadInputError(
            path, "holds no pair", "give a CSV with the columns sentence1,sentence2,similarity"
        )
    return pairs


def default_sentences() -> tuple[list[str], list[str]]:
    """Return two disjoint sets of 300 English sentences each (FLORES-200 dev and devtest, CC BY-SA 4.0)."""
    first, second = (
        (resources.files(_DATA) / name).read_text(encoding="utf-8").splitlines() for name in _DEFAULT
    )
    return first, second


def retrieval_set() -> RetrievalSet:
    """Return the embedded retrieval set: headings of the Python reference and their sections."""
    data = json.loads((resources.files(_DATA) / "sticky_retrieval.json").read_text(encoding="utf-8"))
    return RetrievalSet(tuple(data["queries"]), tuple(data["documents"]), tuple(data["relevant"]))
