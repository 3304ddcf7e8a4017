"""What `sticky` is asked to do, checked, and the sentences it works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import BadInputError, OptionError
from forensics.schema.sticky import StickyOptions
from forensics.sources.texts.sentences import default_sentences, numbered_sentences, read_pairs

__all__ = ["SentenceSet", "StickyTexts", "check_together", "read_texts"]


@dataclass(frozen=True)
class SentenceSet:
    """Sentences of one set."""

    #: What the summary calls it; no path.
    name: str
    #: What an error calls it.
    where: str
    sentences: list[str]
    #: The line of every sentence in its file; empty where there is none.
    lines: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class StickyTexts:
    """What the user gave to be read, or the package's own."""

    #: To find on and, disjoint from it, to confirm on.
    sets: tuple[SentenceSet, SentenceSet]
    #: Pairs of sentences with their similarity, where it is stated; None where no file was given.
    pairs: list[tuple[str, str, float | None]] | None


def check_together(options: StickyOptions) -> None:
    """Refuse options that do not go together.

    :raises OptionError: Names the one at fault.
    """
    if len(options.sentences) > 2:
        raise OptionError("sentences", f"given {len(options.sentences)} times", "give it at most twice")
    if options.pairs is not None and options.method != "std":
        raise OptionError(
            "pairs", "goes with the method std only", "give sentences, one a line, with `sentences`"
        )


def read_texts(options: StickyOptions) -> StickyTexts:
    """Read what the user gave.

    :raises BadInputError: If a file is empty or damaged, has fewer pairs than are asked for, or the sets
        share so much that nothing is left to confirm on.
    """
    pairs = None if options.pairs is None else read_pairs(Path(options.pairs))
    wanted = max(options.pairs_score, options.pairs_validate)
    if pairs is not None and options.pairs is not None and len(pairs) < wanted:
        found = f"holds {len(pairs)} pairs, {wanted} are needed"
        raise BadInputError(options.pairs, found, "give more pairs or ask for fewer")
    return StickyTexts(_sentence_sets(options), pairs)


def _sentence_sets(options: StickyOptions) -> tuple[SentenceSet, SentenceSet]:
    """Return two sets; one file is cut in halves, every other sentence going to the confirmation set."""
    if not options.sentences:
        own = "embedded sentences, FLORES-200 "
        names = (own + "dev", own + "devtest")
        to_find, to_confirm = (SentenceSet(n, n, s) for n, s in zip(names, default_sentences(), strict=True))
        return to_find, to_confirm
    files = [Path(name) for name in options.sentences]
    first = numbered_sentences(files[0])
    if len(files) == 1:
        odd, even = (dict(list(first.items())[start::2]) for start in (0, 1))
        return _named(files[0], odd, " (odd lines)"), _named(files[0], even, " (even lines)")
    second = {text: line for text, line in numbered_sentences(files[1]).items() if text not in first}
    if not second:
        raise BadInputError(
            files[1], f"every sentence is also in {files[0]}", "give other sentences to confirm on"
        )
    return _named(files[0], first), _named(files[1], second)


def _named(file: Path, lines: dict[str, int], which: str = "") -> SentenceSet:
    return SentenceSet(file.name + which, str(file) + which, list(lines), list(lines.values()))
