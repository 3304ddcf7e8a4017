"""`merges.txt` and `vocab.txt` as data, and the other names under which such files go round."""

from __future__ import annotations

from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_text

__all__ = ["find_vocabulary", "read_merges", "read_vocab_lines"]

#: Name of a vocabulary file -> patterns of other names, tried in turn: GPT-2's own release, files downloaded
#: one by one in the first years of transformers, files saved with a prefix.
_OTHER_NAMES = {
    "vocab.txt": ("*vocab.txt", "*vocab*.txt"),
    "vocab.json": ("*vocab.json", "encoder.json"),
    "merges.txt": ("*merges.txt", "vocab.bpe"),
}


def find_vocabulary(folder: Path, name: str) -> Path | None:
    """Return the file of this name or pattern in `folder`, else the one of another name.

    :return: None where there is none, or several of one pattern.
    """
    for pattern in (name, *_OTHER_NAMES.get(name, ())):
        matches = sorted(folder.glob(pattern))
        if matches:
            return matches[0] if len(matches) == 1 else None
    return None


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
