"""What is odd about a vocabulary and its merge list, as `forensics tokens` tells it.

Nothing here is a fault by itself: a list recovered from scores has several merges per piece by nature, and
makers add words by hand. But each oddity tells how a vocabulary was made, and some make tokens dead. What is
odd about a merge is decided in `merge_list` and `unlearned`, where the mixture inference asks too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.merge_list import (
    MergeList,
    MergeStanding,
    end_of_word,
    read_merge_list,
    subword_prefix,
)
from forensics.vocabulary.spelling import continues_word
from forensics.vocabulary.splitting import splitter_of
from forensics.vocabulary.unlearned import find_unlearned
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["MergeProblem", "merge_problems"]

#: Examples kept of each kind.
EXAMPLES = 20

#: Kind -> what it means.
_MEANING = {
    "duplicate_piece": "Several ids have the same piece.",
    "duplicate_bytes": "Several ids stand for the same bytes.",
    "repeated_merge": "The same pair stands further up in the list.",
    "redundant_merge": "A further way of making a piece that other merges make first.",
    "dangling_merge": "A merge of a part that is no single character and that no merge makes.",
    "merge_by_hand": "A merge put in by hand: a ladder of whitespace or numbers, or a declared added token.",
    "unformable_merge": "A merge within which text is always cut, or which the normalizer rewrites.",
    "token_without_merge": "An entry of several symbols that no merge makes and no file declares: put in by "
    "hand.",
    "unexamined_merges": "How text is cut is not known, or pieces inside words carry a prefix: whether text "
    "can form these merges was not examined.",
}


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


def merge_problems(
    source: TokenizerSource, vocabulary: Vocabulary, merges: MergeList | None = None
) -> tuple[MergeProblem, ...]:
    """Return the oddities found, those that occur only, in a fixed order.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    :param merges: What `read_merge_list` says of it, if the caller has that already.
    """
    found: dict[str, list[Any]] = {
        "duplicate_piece": list(_duplicate_pieces(source)),
        "duplicate_bytes": list(_duplicate_bytes(source, vocabulary)),
    }
    if source.model is TokenizerModel.BPE and subword_prefix(source):
        found["unexamined_merges"] = list(source.merges)
    elif source.model is TokenizerModel.BPE:
        merges = read_merge_list(source) if merges is None else merges
        found |= _standing(source, merges)
        found |= _unlearned(source, vocabulary, merges)
    return tuple(
        MergeProblem(kind, _MEANING[kind], len(items), tuple(items[:EXAMPLES]))
        for kind, items in found.items()
        if items
    )


def _standing(source: TokenizerSource, merges: MergeList) -> dict[str, list[Any]]:
    """Return the merges that training cannot have made."""
    stored = list(zip(source.merges, merges.standing, strict=True))
    learned = {"".join(pair): pair for pair, stands in stored if stands is MergeStanding.LEARNED}

    def of(kind: MergeStanding) -> list[tuple[str, str]]:
        return [pair for pair, stands in stored if stands is kind]

    return {
        "repeated_merge": of(MergeStanding.REPEATED),
        "redundant_merge": [
            {"piece": "".join(pair), "pair": pair, "learned": learned.get("".join(pair))}
            for pair in of(MergeStanding.REDUNDANT)
        ],
        "dangling_merge": of(MergeStanding.DANGLING),
    }


def _unlearned(source: TokenizerSource, vocabulary: Vocabulary, merges: MergeList) -> dict[str, list[Any]]:
    """Return the merges and tokens that training did not choose."""
    try:
        splitter = splitter_of(source, merges) if len(merges) else None
    except BadInputError:  # the files do not say how text is cut
        splitter = None
    unlearned = find_unlearned(source, merges, splitter, _given_in_text(source, vocabulary))
    ids = {piece: token_id for token_id, piece in enumerate(source.pieces) if piece is not None}
    return {
        "merge_by_hand": _results(merges, unlearned.by_hand, ids),
        "unformable_merge": _results(merges, unlearned.unformable, ids),
        "unexamined_merges": [] if splitter else list(source.merges),
        "token_without_merge": [
            {"token_id": ids[piece], "piece": piece} for piece in unlearned.added_undeclared
        ],
    }


def _given_in_text(source: TokenizerSource, vocabulary: Vocabulary) -> set[str]:
    """Return the pieces that encoding gave for some text, by merging and not as an added token."""
    if without_automatic_prefix(source.encoder) is not source.encoder:
        return set()  # the trial was made without the space, and text is cut with it
    columns = zip(vocabulary.pieces, vocabulary.context, vocabulary.is_added.tolist(), strict=True)
    return {piece for piece, context, added in columns if piece and context is not None and not added}


def _results(
    merges: MergeList, chosen: npt.NDArray[np.bool_], ids: dict[str, int]
) -> list[dict[str, int | str | None]]:
    """Return what the chosen merges make."""
    made = [merges.symbols[number] for number in merges.result[chosen].tolist()]
    return [{"token_id": ids.get(piece), "piece": piece} for piece in made]


def _duplicate_pieces(source: TokenizerSource) -> Iterator[dict[str, Any]]:
    ids: dict[str, list[int]] = {}
    for token_id, piece in enumerate(source.pieces):
        if piece is not None:
            ids.setdefault(piece, []).append(token_id)
    return ({"piece": piece, "token_ids": same} for piece, same in ids.items() if len(same) > 1)


def _duplicate_bytes(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    """Yield ids of equal bytes that stand in the same place of a word.

    A word's start and its continuation are different things in WordPiece, its end and the rest in CLIP.
    """
    inside, suffix = continues_word(source), end_of_word(source)
    ids: dict[tuple[bytes, bool, bool], list[int]] = {}
    for token_id, data in enumerate(vocabulary.bytes):
        if data is not None:
            piece = vocabulary.pieces[token_id] or ""
            place = (data, inside(piece), bool(suffix) and piece.endswith(suffix))
            ids.setdefault(place, []).append(token_id)
    return (
        {"pieces": [vocabulary.pieces[token_id] for token_id in same], "token_ids": same}
        for same in ids.values()
        if len(same) > 1
    )
