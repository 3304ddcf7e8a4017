"""Sentences and sentence pairs for the sticky-token analysis: the user's files, or those of the package."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_text

__all__ = [
    "RetrievalSet",
    "default_sentences",
    "numbered_sentences",
    "read_pairs",
    "read_sentences",
    "retrieval_set",
]

_LINE_END = re.compile(r"\r\n|\r|\n")
_COLUMNS = "give a CSV with the columns sentence1,sentence2,similarity"
#: What else separates columns where the comma is a decimal sign, and how it is called.
_SEPARATORS = {";": "semicolons", "\t": "tabs"}
#: A cosine of equal vectors may come out this much above 1.
_ROUNDING = 1e-3
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
    return list(numbered_sentences(path))


def numbered_sentences(path: Path) -> dict[str, int]:
    """Return the distinct sentences of a text file in their order, each with the line it first stands in.

    Lines end where an editor ends them: U+2028 and the like are part of a sentence.

    :raises BadInputError: If the file cannot be read or holds no sentence.
    """
    lines = _LINE_END.split(read_text(path).removeprefix("\ufeff"))
    sentences: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if sentence := line.strip():
            sentences.setdefault(sentence, number)
    if not sentences:
        raise BadInputError(path, "holds no sentence", "give a UTF-8 text file with one sentence a line")
    return sentences


def read_pairs(path: Path) -> list[tuple[str, str, float | None]]:
    """Return the pairs of a CSV file with the columns `sentence1,sentence2,similarity`.

    The similarity is the model's cosine; where it is empty the caller measures it.

    :raises BadInputError: If a column is missing, a value is no cosine, or there is no pair.
    """
    reader = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff"), newline=""))
    pairs = []
    try:
        _check_columns(path, reader.fieldnames or [])
        line = reader.line_num + 1
        for row in reader:
            pairs.append(_pair(path, line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInputError(path, f"line {reader.line_num + 1} is no CSV ({error})", _COLUMNS) from error
    if not pairs:
        raise BadInputError(path, "holds no pair", _COLUMNS)
    return pairs


def _check_columns(path: Path, names: Sequence[str]) -> None:
    missing = [column for column in ("sentence1", "sentence2", "similarity") if column not in names]
    if missing:
        found = f"has no column {', '.join(missing)}"
        separator = next((name for sign, name in _SEPARATORS.items() if any(sign in n for n in names)), None)
        if separator is not None:
            raise BadInputError(path, f"is separated by {separator}", "separate the columns by commas")
        raise BadInputError(path, found, _COLUMNS)


def _pair(path: Path, line: int, row: Mapping[str | None, Any]) -> tuple[str, str, float | None]:
    """Return one pair, refusing a record that has too little, too much or no cosine."""
    if None in row:
        found = f"line {line} has more fields than the first line has columns"
        raise BadInputError(path, found, "put sentences with commas in quotation marks")
    first, second = (row["sentence1"] or "").strip(), (row["sentence2"] or "").strip()
    value = (row["similarity"] or "").strip()
    if not first or not second:
        found = f"line {line} lacks a sentence"
        raise BadInputError(path, found, "fill both sentences or remove the line")
    if not value:
        return first, second, None
    try:
        similarity = float(value)
    except ValueError:
        similarity = math.nan
    if not abs(similarity) <= 1 + _ROUNDING:
        found = f"line {line} has the similarity {value[:40]!r}"
        raise BadInputError(path, found, "give a cosine, or leave it empty to have it measured")
    return first, second, similarity


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
