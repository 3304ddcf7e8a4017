"""Which tokens a text does without, and what leaving them out would save.

A plan, not a verdict: a token that some million tokens of text do not contain may still occur less than once
in a third of them (the rule of three). Kept are special and added tokens, single characters and bytes, and
every piece that merges need on the way to one that is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.audit_summary import WordShare
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["PrunePlan", "prune_plan", "word_share"]


@dataclass(frozen=True, eq=False)
class PrunePlan:
    """What a smaller vocabulary for the same text could leave out."""

    #: Ids that can go, ascending.
    removable: npt.NDArray[np.int32]
    #: Ids that the text does not contain and that merges need all the same.
    needed_by_merges: int
    #: Tokens of the text, and the 95 % upper limit of how often a token occurs that it does not contain.
    tokens: int
    rate_bound: float

    def parameters_saved(self, width: int, tied: bool) -> int:
        """Return how many parameters go with the tokens.

        :param width: Columns of the embedding matrix.
        :param tied: Whether one matrix serves as embedding and head.
        """
        return len(self.removable) * width * (1 if tied else 2)


def prune_plan(
    source: TokenizerSource, vocabulary: Vocabulary, used: Collection[int], tokens: int
) -> PrunePlan:
    """Return which ids a text does without.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    :param used: The ids that the text contains.
    :param tokens: Tokens of the text.
    """
    keep = np.zeros(len(vocabulary), dtype=np.bool_)
    keep[list(used)] = True
    keep |= vocabulary.is_special | vocabulary.is_added | vocabulary.is_byte
    keep |= np.array([piece is None or len(piece) == 1 for piece in vocabulary.pieces])
    occurring = keep.copy()
    ids = {piece: token_id for token_id, piece in enumerate(vocabulary.pieces) if piece is not None}
    # The first merge that makes a piece is the one that is used; later ones only where the first is gone.
    parts: dict[int, tuple[int | None, int | None]] = {}
    for left, right in source.merges:
        if (made := ids.get(left + right)) is not None:
            parts.setdefault(made, (ids.get(left), ids.get(right)))
    pending = [made for made in parts if keep[made]]
    while pending:
        for part in parts.get(pending.pop(), ()):
            if part is not None and not keep[part]:
                keep[part] = True
                pending.append(part)
    return PrunePlan(
        removable=np.flatnonzero(~keep).astype(np.int32),
        needed_by_merges=int((keep & ~occurring).sum()),
        tokens=tokens,
        rate_bound=3 / max(tokens, 1),
    )


def word_share(
    vocabulary: Vocabulary, begins_word: npt.NDArray[np.bool_], words: Collection[str]
) -> WordShare:
    """Return how much of a vocabulary is words of a list, letter case aside.

    :param vocabulary: The vocabulary.
    :param begins_word: Whether a piece begins a word, of `VocabularyKinds`, shape (V,).
    :param words: The words.
    """
    known = {word.casefold() for word in words if word}
    lettered, begins = 0, set()
    listed = 0
    ordinary = ~(vocabulary.is_special | vocabulary.is_added)
    for token_id in np.flatnonzero(ordinary).tolist():
        text = (vocabulary.text[token_id] or "").strip(" ").casefold()
        if not text.isalpha():
            continue
        lettered += len(text) > 1
        listed += len(text) > 1 and text in known
        if begins_word[token_id]:
            begins.add(text)
    return WordShare(
        pieces=lettered,
        words=listed,
        listed=len(known),
        covered=len(known & begins),
    )
