"""The text of the guard: windows of ordinary text of several kinds, the user's or the package's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.sources.texts.natural_text import natural_text

__all__ = ["LEAST_TOKENS", "guard_corpora", "guard_windows"]

#: Ids in one window, windows in all, and tokens that must be predicted for the guard to say anything.
WINDOW, WINDOWS, LEAST_TOKENS = 257, 12, 2000
#: Text read per window at most: even in a script of which every byte is a token it fills one.
_BYTES = 16 * 1024


def guard_corpora(given: Sequence[Corpus] | None = None) -> dict[str, list[Corpus]]:
    """Return the text by kind: each category of the user's, or prose, code and other languages."""
    if given is not None:
        return {corpus.name: [corpus] for corpus in given}
    text = {corpus.name: corpus for corpus in natural_text()}
    languages = [name for name in text if name.startswith("languages/") and name != "languages/en"]
    return {
        "English prose": [text["speeches"]],
        "code": [text[name] for name in ("python", "rust", "typescript")],
        "other languages": [text[name] for name in languages],
    }


def guard_windows(
    corpora: Mapping[str, Sequence[Corpus]], source: TokenizerSource, rows: int, window: int = WINDOW
) -> dict[str, list[list[int]]]:
    """Return stretches of ids for each kind of text, the same for the same text.

    :param corpora: See `guard_corpora`.
    :param source: Encodes the text.
    :param rows: Ids that the model can read, before and after; a stretch ends before any other.
    :param window: Ids per stretch at most.
    :raises BadInputError: If the text is too short for the guard to say anything.
    """
    per_kind = -(-WINDOWS * (WINDOW - 1) // ((window - 1) * len(corpora)))
    found = {kind: _windows(of_kind, source, rows, window, per_kind) for kind, of_kind in corpora.items()}
    tokens = sum(len(ids) - 1 for windows in found.values() for ids in windows)
    if tokens < LEAST_TOKENS:
        raise BadInputError(
            "the text of the guard",
            f"holds {tokens:,} tokens that can be predicted, of {LEAST_TOKENS:,} that are needed",
            "give more text with `corpora`",
        )
    return {kind: windows for kind, windows in found.items() if windows}


def _windows(
    corpora: Sequence[Corpus], source: TokenizerSource, rows: int, window: int, wanted: int
) -> list[list[int]]:
    """Return windows spread evenly over the categories, from the beginning of each."""
    chosen = [corpora[place * len(corpora) // wanted] for place in range(min(wanted, len(corpora)))]
    turns = -(-wanted // len(chosen))
    windows: list[list[int]] = []
    for corpus in chosen:
        text = "".join(read_corpus(corpus, _BYTES * turns))
        ids = source.encoder.encode(text, add_special_tokens=False).ids
        end = next((place for place, each in enumerate(ids) if each >= rows), len(ids))
        parts = [ids[first : min(first + window, end)] for first in range(0, end - 1, window)]
        windows += [part for part in parts[:turns] if len(part) > 1]
    return windows[:wanted]
