"""What is odd about a vocabulary and its merge list.

Nothing here is a fault by itself: a list recovered from scores has several merges per piece by nature, and
makers add words by hand. But each oddity tells how a vocabulary was made, and some make tokens dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.schema.words import Category
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import byte_of_fallback_piece
from forensics.vocabulary.reachability import LEFT_CONTEXTS
from forensics.vocabulary.spelling import continues_word
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["MergeProblem", "merge_problems"]

#: Examples kept of each kind.
EXAMPLES = 20


@dataclass(frozen=True)
class MergeProblem:
    """One kind of oddity, with how often it occurs."""

    #: A short name, e.g. `redundant_merge`.
    kind: str
    #: What the kind means, in one sentence.
    meaning: str
    #: How many there are.
    count: int
    #: The first of them, each as JSON-able words (pieces, pairs, ids).
    examples: tuple[Any, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON-able values."""
        return {
            "kind": self.kind,
            "meaning": self.meaning,
            "count": self.count,
            "examples": list(self.examples),
        }


def merge_problems(source: TokenizerSource, vocabulary: Vocabulary) -> tuple[MergeProblem, ...]:
    """Return the oddities found, those that occur only, in a fixed order.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    found: list[tuple[str, str, Iterable[Any]]] = [
        ("duplicate_piece", "Several ids have the same piece.", _duplicate_pieces(source)),
        ("duplicate_bytes", "Several ids stand for the same bytes.", _duplicate_bytes(source, vocabulary)),
    ]
    if source.model is TokenizerModel.BPE:
        made = _ways_of_making(source.merges)
        found += [
            (
                "repeated_merge",
                "The same pair stands twice in the list.",
                _repeated(source.merges),
            ),
            (
                "redundant_merge",
                "Several pairs make the same piece.",
                ({"piece": piece, "pairs": pairs} for piece, pairs in made.items() if len(pairs) > 1),
            ),
            (
                "dangling_merge",
                "A merge whose parts or result are not in the vocabulary.",
                _dangling(source),
            ),
            (
                "unformable_merge",
                "A merge whose result the normalizer or pre-tokenizer never lets stand in one piece.",
                _unformable(source, vocabulary, made.keys()),
            ),
            (
                "token_without_merge",
                "An entry of several symbols that no merge makes: put in by hand.",
                _without_merge(source, made.keys()),
            ),
        ]
    problems = []
    for kind, meaning, examples in found:
        items = list(examples)
        if items:
            problems.append(MergeProblem(kind, meaning, len(items), tuple(items[:EXAMPLES])))
    return tuple(problems)


def _ways_of_making(merges: Sequence[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Return piece -> the different pairs that make it."""
    made: dict[str, list[tuple[str, str]]] = {}
    for pair in dict.fromkeys(merges):
        made.setdefault(pair[0] + pair[1], []).append(pair)
    return made


def _repeated(merges: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for pair in merges:
        if pair in seen:
            yield pair
        seen.add(pair)


def _dangling(source: TokenizerSource) -> Iterator[tuple[str, str]]:
    known = set(source.pieces)
    for left, right in source.merges:
        if left not in known or right not in known or left + right not in known:
            yield left, right


def _without_merge(source: TokenizerSource, made: Iterable[str]) -> Iterator[dict[str, Any]]:
    added = {token.token_id for token in source.added_tokens}
    special = {token_id for given in source.special_roles.values() for token_id in given.values()}
    suffix = getattr(source.encoder.model, "end_of_word_suffix", None) or ""
    known = set(made)
    for token_id, piece in enumerate(source.pieces):
        if piece is None or piece in known or token_id in added or token_id in special:
            continue
        is_byte = source.byte_fallback and byte_of_fallback_piece(piece) is not None
        if len(piece.removesuffix(suffix)) > 1 and not is_byte:
            yield {"token_id": token_id, "piece": piece}


def _duplicate_pieces(source: TokenizerSource) -> Iterator[dict[str, Any]]:
    ids: dict[str, list[int]] = {}
    for token_id, piece in enumerate(source.pieces):
        if piece is not None:
            ids.setdefault(piece, []).append(token_id)
    return ({"piece": piece, "token_ids": same} for piece, same in ids.items() if len(same) > 1)


def _duplicate_bytes(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    """Yield ids of equal bytes; a word's start and its continuation are different things in WordPiece."""
    inside = continues_word(source)
    ids: dict[tuple[bytes, bool], list[int]] = {}
    for token_id, data in enumerate(vocabulary.bytes):
        if data is not None:
            ids.setdefault((data, inside(vocabulary.pieces[token_id] or "")), []).append(token_id)
    return (
        {"pieces": [vocabulary.pieces[token_id] for token_id in same], "token_ids": same}
        for same in ids.values()
        if len(same) > 1
    )


def _unformable(
    source: TokenizerSource, vocabulary: Vocabulary, made: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """Yield merged tokens that never stand in one pre-token, alone and after every left context tried.

    Only unreachable tokens can be such, so only they are looked at. Tokens that are no valid UTF-8 by
    themselves cannot be judged this way and are left out.
    """
    normalizer, pre_tokenizer = source.encoder.normalizer, source.encoder.pre_tokenizer
    merged = set(made)
    unreachable = np.isin(vocabulary.category, [Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI])
    for token_id in np.flatnonzero(unreachable).tolist():
        piece, text = vocabulary.pieces[token_id], vocabulary.text[token_id]
        if piece not in merged or text is None:
            continue
        if source.byte_level and normalizer is not None and normalizer.normalize_str(text) != text:
            yield {"token_id": token_id, "piece": piece, "because": "normalizer"}
        elif pre_tokenizer is not None and not _stands_whole(pre_tokenizer, text):
            yield {"token_id": token_id, "piece": piece, "because": "pre-tokenizer"}


def _stands_whole(pre_tokenizer: Any, text: str) -> bool:
    """Return whether some context leaves `text` within one pre-token."""
    for before in ("", *(context for _, context in LEFT_CONTEXTS)):
        start, stop = len(before), len(before) + len(text)
        spans = (span for _, span in pre_tokenizer.pre_tokenize_str(before + text))
        if any(first <= start and stop <= last for first, last in spans):
            return True
    return False
