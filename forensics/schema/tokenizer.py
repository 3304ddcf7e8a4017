"""What every summary says about a tokenizer, its vocabulary and its special tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "MergeProblemEntry",
    "MergesSummary",
    "RoleClaim",
    "SpecialTokenEntry",
    "TokenizerFacts",
    "VocabularyCounts",
]


@dataclass(frozen=True)
class TokenizerFacts:
    """A tokenizer in a few numbers."""

    name: str
    #: Its file format, e.g. `tokenizer.json`.
    format: str
    #: `BPE`, `Unigram`, `WordPiece` or `WordLevel`.
    type: str
    vocab_size: int
    byte_level: bool
    byte_fallback: bool
    #: Where the way of cutting text comes from.
    pretokenizer: str | None
    #: Merges in its list.
    merges: int
    added_tokens: int


@dataclass(frozen=True)
class VocabularyCounts:
    """Tokens per category (`words.Category`), and of four kinds that cut across them."""

    ok: int
    ok_special: int
    unreachable_special: int
    undecodable: int
    unreachable_single: int
    unreachable_multi: int
    unused_row: int
    #: Exactly one byte, ASCII and byte-fallback entries included.
    single_byte: int
    #: Two or more bytes that are not valid UTF-8 by themselves.
    partial_utf8: int
    #: Ordinary tokens of two or more bytes that no text tried gives.
    unreachable: int
    special: int


@dataclass(frozen=True)
class MergeProblemEntry:
    """One kind of oddity of a vocabulary or its merges."""

    #: A short name, e.g. `redundant_merge`.
    kind: str
    #: What the kind means, in one sentence.
    meaning: str
    count: int
    #: The first of them, as pieces, pairs or small objects.
    examples: tuple[Any, ...]


@dataclass(frozen=True)
class MergesSummary:
    """The merge list."""

    count: int
    problems: tuple[MergeProblemEntry, ...]


@dataclass(frozen=True)
class SpecialTokenEntry:
    """One special token."""

    token_id: int
    piece: str
    #: Its roles (`bos`, `eos`, ...), by any file.
    roles: tuple[str, ...]
    #: Every file that declares it special or names it for a role.
    declared_in: tuple[str, ...]
    #: Whether its text gives this one id.
    single: bool
    #: What its text encodes to.
    encodes_to: tuple[int, ...]
    #: The word by which the files mark it as unused, or None.
    reserved: str | None
    #: A `words.Verdict`, where it was put to a model.
    trained: str | None = None


#: File -> the id, or the ids, that it names for a role; `agree`: whether one id satisfies every file.
RoleClaim = Mapping[str, Any]
