"""The vocabulary by kind and script, its longest pieces, and characters that a reader cannot see.

Kinds go by Unicode's general categories, scripts by its Script property; a piece of two scripts is `Mixed`.
The lists of long pieces are lists: whether a long Han piece is an advertisement or a ministry takes a reader
(arXiv 2508.17771 needed a classifier and search evidence).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.scripts import script_of_text
from forensics.vocabulary.spelling import continues_word
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["Kind", "Risk", "VocabularyKinds", "id_gaps", "longest_pieces", "risks_of", "vocabulary_kinds"]

#: Pieces above this many characters are counted apart.
VERY_LONG = 64
#: Han pieces above this many characters are counted apart: nearly all words have one or two.
LONG_HAN = 2


class Kind(StrEnum):
    """What a piece consists of."""

    #: Declared special or in a special role.
    SPECIAL = "special"
    #: Added beside the algorithm's own pieces, not special.
    ADDED = "added"
    #: One byte that is no character by itself, or is spelt as a byte.
    BYTE = "byte"
    #: Several bytes, no valid UTF-8 by themselves.
    PARTIAL = "partial"
    #: Whitespace alone.
    WHITESPACE = "whitespace"
    #: Letters and marks, a space in front aside.
    LETTERS = "letters"
    #: Digits and other numbers, a space in front aside.
    DIGITS = "digits"
    #: Punctuation and symbols, a space in front aside.
    PUNCTUATION = "punctuation"
    #: Anything else.
    MIXED = "mixed"
    #: An id without a piece.
    NONE = "none"


class Risk(StrEnum):
    """Characters that are not what they look like; the words are the rules' names after `char/`."""

    #: ESC, which begins a terminal's control sequence.
    ANSI = "ansi"
    #: Category Cc but whitespace.
    CONTROL = "control"
    #: Bidirectional controls (CVE-2021-42574).
    BIDI = "bidi"
    #: Category Cf: zero-width and other format characters.
    INVISIBLE = "invisible"
    #: Category Co.
    PRIVATE_USE = "private-use"
    #: Category Cn; depends on the version of Unicode.
    UNASSIGNED = "unassigned"
    #: Latin letters with Cyrillic or Greek ones in one piece.
    MIXED_SCRIPTS = "mixed-scripts"


_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_OF_CATEGORY = {
    "Cc": Risk.CONTROL,
    "Cf": Risk.INVISIBLE,
    "Co": Risk.PRIVATE_USE,
    "Cn": Risk.UNASSIGNED,
}
_CLASSES: Mapping[str, Kind] = {
    "L": Kind.LETTERS,
    "M": Kind.LETTERS,
    "N": Kind.DIGITS,
    "P": Kind.PUNCTUATION,
    "S": Kind.PUNCTUATION,
}


@dataclass(frozen=True, eq=False)
class VocabularyKinds:
    """Every id's kind, and counts."""

    #: A `Kind` per id, shape (V,).
    kind: npt.NDArray[np.str_]
    #: Whether the piece begins a word: a space in front, or WordPiece without its `##`; shape (V,).
    begins_word: npt.NDArray[np.bool_]
    #: (kind, script) -> how many ids, in falling order.
    counts: Mapping[tuple[str, str], int]
    #: Characters of every piece, 0 where it has no text, shape (V,).
    characters: npt.NDArray[np.int32]
    #: Ordinary pieces of Han characters, and those above two characters.
    han: int
    han_long: int
    #: Ordinary pieces above 64 characters, runs of whitespace left out.
    very_long: int


def vocabulary_kinds(source: TokenizerSource, vocabulary: Vocabulary) -> VocabularyKinds:
    """Return kind, script and length of every id.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    kinds = np.array([_kind(vocabulary, token_id) for token_id in range(len(vocabulary))], dtype=np.str_)
    characters = np.array([len(text or "") for text in vocabulary.text], dtype=np.int32)
    ordinary = ~np.isin(kinds, [Kind.SPECIAL, Kind.ADDED])
    han = ordinary & (vocabulary.script == "Han")
    counts = Counter(zip(kinds.tolist(), vocabulary.script.tolist(), strict=True))
    return VocabularyKinds(
        kind=kinds,
        begins_word=_begins_word(source, vocabulary),
        counts=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        characters=characters,
        han=int(han.sum()),
        han_long=int((han & (_bare_lengths(vocabulary) > LONG_HAN)).sum()),
        very_long=int((ordinary & (characters > VERY_LONG) & (kinds != Kind.WHITESPACE)).sum()),
    )


def longest_pieces(vocabulary: Vocabulary, kinds: VocabularyKinds, most: int = 10) -> dict[str, list[int]]:
    """Return script -> ids of its longest ordinary pieces by characters, longest first.

    :param most: Pieces per script.
    """
    ids = np.flatnonzero((kinds.characters > 1) & ~np.isin(kinds.kind, [Kind.SPECIAL, Kind.ADDED]))
    ordered = ids[np.lexsort((ids, -kinds.characters[ids]))]
    scripts: dict[str, list[int]] = {}
    for token_id in ordered.tolist():
        found = scripts.setdefault(str(vocabulary.script[token_id]), [])
        if len(found) < most:
            found.append(token_id)
    return dict(sorted(scripts.items()))


def risks_of(text: str) -> frozenset[Risk]:
    r"""Return what a reader of `text` cannot see in it.

    >>> sorted(risks_of("a\u200bb"))
    [<Risk.INVISIBLE: 'invisible'>]
    """
    if text.isascii() and text.isprintable():
        return frozenset()
    found = {risk for character in set(text) if (risk := _risk_of_character(character))}
    if "\x1b" in text:
        found.add(Risk.ANSI)
    scripts = {script_of_text(character) for character in set(text) if character.isalpha()}
    if "Latin" in scripts and scripts & {"Cyrillic", "Greek"}:
        found.add(Risk.MIXED_SCRIPTS)
    return frozenset(found)


def id_gaps(source: TokenizerSource) -> tuple[int, ...]:
    """Return the ids without a piece below the largest."""
    return tuple(token_id for token_id, piece in enumerate(source.pieces) if piece is None)


@cache
def _risk_of_character(character: str) -> Risk | None:
    if character in _BIDI:
        return Risk.BIDI
    # A soft hyphen is Cf and U+0085 is Cc, and both are in ordinary text; they stay: nobody sees them.
    return None if character.isspace() else _OF_CATEGORY.get(unicodedata.category(character))


@cache
def _class_of_character(character: str) -> Kind:
    return _CLASSES.get(unicodedata.category(character)[0], Kind.MIXED)


def _kind(vocabulary: Vocabulary, token_id: int) -> Kind:
    data, text = vocabulary.bytes[token_id], vocabulary.text[token_id]
    if data is None:
        return Kind.NONE
    if vocabulary.is_special[token_id]:
        return Kind.SPECIAL
    if vocabulary.is_added[token_id]:
        return Kind.ADDED
    if text is None:
        return Kind.PARTIAL if len(data) > 1 else Kind.BYTE
    if text.isspace():
        return Kind.WHITESPACE
    classes = {_class_of_character(character) for character in text.removeprefix(" ")}
    return classes.pop() if len(classes) == 1 else Kind.MIXED


def _begins_word(source: TokenizerSource, vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    inside = continues_word(source)
    # WordPiece alone knows pieces that only stand inside words.
    marks: Callable[[str], bool] | None = inside if inside("##a") or inside("a") else None
    return np.array(
        [
            (data or b"").startswith(b" ") if marks is None else piece is not None and not marks(piece)
            for data, piece in zip(vocabulary.bytes, vocabulary.pieces, strict=True)
        ],
        dtype=np.bool_,
    )


def _bare_lengths(vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Return characters of every text without whitespace around it."""
    return np.array([len((text or "").strip()) for text in vocabulary.text], dtype=np.int32)
