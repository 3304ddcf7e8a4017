"""Files of words: one in each line, or a word, a tab and its morphemes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_text

__all__ = ["read_morphemes", "read_words"]


def read_words(path: Path) -> dict[str, int]:
    """Return the words of a file, sorted, and how often each stands in it; blank lines are passed over.

    :raises BadInputError: If the file cannot be read or holds no word.
    """
    words = Counter(line for _, line in _lines(path))
    if not words:
        raise BadInputError(path, "no word in it", "give a text file with one word in each line")
    return dict(sorted(words.items()))


def read_morphemes(path: Path) -> list[tuple[str, ...]]:
    """Return the morphemes of every word of a file: `unhappy`, a tab, `un happy`.

    :raises BadInputError: If the file cannot be read, is empty, or has a line of another form.
    """
    found = []
    for number, line in _lines(path):
        word, tab, segmented = line.partition("\t")
        parts = tuple(segmented.split())
        if not tab or "".join(parts) != word:
            raise BadInputError(
                path,
                f"line {number:,} is {line[:60]!r}",
                "write a word, a tab and its morphemes with spaces between them: unhappy<TAB>un happy",
            )
        found.append(parts)
    if not found:
        raise BadInputError(path, "no word in it", "write a word, a tab and its morphemes in each line")
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are not blank; only U+000A ends one."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if text := line.strip():
            yield number, text
