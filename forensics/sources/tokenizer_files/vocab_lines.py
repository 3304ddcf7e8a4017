"""`merges.txt` and `vocab.txt` as data."""

from __future__ import annotations

from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_text

__all__ = ["read_merges", "read_vocab_lines"]


def read_merges(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the merges of a `merges.txt`, whose first line may be a `#version` comment.

    :raises BadInputError: If a line is not two pieces.
    """
    merges = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip() or (number == 1 and line.startswith("#version")):
            continue
        parts = line.removesuffix("\r").split(" ")
        if len(parts) != 2 or not all(parts):
            raise BadInputError(
                path, f"line {number:,} is not two pieces: {line[:60]!r}", "the file is damaged"
            )
        merges.append((parts[0], parts[1]))
    return tuple(merges)


def read_vocab_lines(path: Path) -> list[str]:
    """Return the entries of a `vocab.txt`, one a line.

    Like transformers: only a line feed ends an entry, so U+2028 and the like may be pieces.
    """
    lines = read_text(path).removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines]
