"""Parallel text: one file per language, line i of every file says the same.

Read as it stands: one sentence a line, the line end removed, nothing else changed. Files of different
lengths are refused, since nothing then says which line goes with which; so is a line that is empty in some
languages only, since a sentence that is missing would count as one that costs no tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.texts.corpora import Corpus, find_corpora, read_corpus

__all__ = ["EMBEDDED", "ParallelText", "read_parallel_text"]

#: What a user writes for the set that comes with the package.
EMBEDDED = "demo"
_LAYOUT = "give a folder with one text file per language (LANG.txt, .txt.gz, .txt.xz), line-aligned"


@dataclass(frozen=True, eq=False)
class ParallelText:
    """The same sentences in several languages."""

    #: Language -> its lines, all of the same number; languages sorted by name.
    lines: Mapping[str, tuple[str, ...]]
    #: Every file read, for the manifest.
    files: tuple[Path, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, sorted."""
        return tuple(self.lines)

    def __len__(self) -> int:
        """Return the number of lines per language."""
        return len(next(iter(self.lines.values())))


def read_parallel_text(
    folder: str | Path = EMBEDDED, languages: Sequence[str] | None = None, max_lines: int | None = None
) -> ParallelText:
    """Read parallel text.

    :param folder: A folder with one file per language, or `demo` for the embedded set: the first 250 lines
        of FLORES-200 `dev` in 32 languages.
    :param languages: Only these, named as the files are (`deu_Latn`); default all.
    :param max_lines: Only the first so many lines, cut after the files were found to match.
    :raises BadInputError: If a file cannot be read, two differ in length, a line is empty in some languages
        only, there is no text at all, or a language asked for is not there.

    >>> text = read_parallel_text()
    >>> len(text), text.lines["eng_Latn"][0][:37]
    (250, 'On Monday, scientists from the Stanfo')
    """
    place = Path(str(resources.files("forensics.data") / "parallel")) if folder == EMBEDDED else Path(folder)
    found = {corpus.name: corpus for corpus in find_corpora([place])}
    if missing := sorted(set(languages or ()) - set(found)):
        raise BadInputError(
            place, f"no text for {', '.join(missing)}", f"it has {', '.join(list(found)[:8])}, ..."
        )
    chosen = [found[name] for name in sorted(set(found if languages is None else languages))]
    lines = {corpus.name: _lines(corpus) for corpus in chosen}
    _require_same_length(chosen, lines)
    _require_no_gaps(chosen, lines)
    return ParallelText(
        {name: text[:max_lines] for name, text in lines.items()},
        tuple(file for corpus in chosen for file in corpus.files),
    )


def _lines(corpus: Corpus) -> tuple[str, ...]:
    """Return the lines of a file; only U+000A, with or without U+000D before it, ends one."""
    text = "".join(read_corpus(corpus))
    parts = text.split("\n")
    if parts[-1] == "":
        parts.pop()
    if not any(part.strip() for part in parts):
        raise BadInputError(corpus.files[0], "no text in it", _LAYOUT)
    return tuple(part.removesuffix("\r") for part in parts)


def _require_same_length(chosen: Sequence[Corpus], lines: Mapping[str, Sequence[str]]) -> None:
    first = chosen[0]
    for corpus in chosen[1:]:
        if len(lines[corpus.name]) != len(lines[first.name]):
            raise BadInputError(
                corpus.files[0],
                f"{len(lines[corpus.name]):,} lines where {first.files[0].name} has "
                f"{len(lines[first.name]):,}",
                "parallel text needs the same sentence on the same line in every file",
            )


def _require_no_gaps(chosen: Sequence[Corpus], lines: Mapping[str, Sequence[str]]) -> None:
    for number, row in enumerate(zip(*(lines[corpus.name] for corpus in chosen), strict=True), start=1):
        empty = [corpus for corpus, line in zip(chosen, row, strict=True) if not line.strip()]
        if empty and len(empty) < len(chosen):
            raise BadInputError(
                empty[0].files[0],
                f"line {number:,} is empty, and is not in other languages",
                "fill it in, or empty it in every file",
            )
