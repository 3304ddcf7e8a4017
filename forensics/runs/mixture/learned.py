"""What is read of a tokenizer: its merges, or its pieces where it keeps none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forensics.mixture.cutting_doubt import cutting_doubts
from forensics.mixture.piece_inference import PieceList, infer_from_pieces
from forensics.mixture.piece_lists import check_order, wordpiece_pair
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.result import Mixture, Reading
from forensics.progress import Progress
from forensics.schema.mixture import AsideSummary, MergeExample, UnmadeSummary
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.spelling import text_of_bytes
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unlearned import Unlearned

__all__ = ["EXAMPLES", "Learned", "LearnedMerges", "LearnedPieces"]

#: Examples kept of each kind of merge or token that training did not choose.
EXAMPLES = 20


class Learned(Protocol):
    """A tokenizer and what training chose of it."""

    @property
    def source(self) -> TokenizerSource:
        """The tokenizer."""

    @property
    def splitter(self) -> Splitter:
        """How text is cut."""

    @property
    def total(self) -> int:
        """How many merges or pieces there are."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Reason -> merges left out."""

    @property
    def duplicate_pieces(self) -> int:
        """How many pieces several ids have."""

    def parts(self, step: int) -> tuple[str, ...]:
        """Return the pair of a merge, or a piece alone, as spelt in the vocabulary."""

    def shown(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Return them as text."""

    def cutting_doubts(self, mixture: Mixture) -> list[str]:
        """Return why the way of cutting text is not that of the training."""

    def aside(self) -> dict[str, AsideSummary]:
        """Return kind of merge that is applied and not explained -> how many, and the first of them."""

    def unmade(self) -> UnmadeSummary:
        """Return the tokens that no merge makes."""


@dataclass(frozen=True, eq=False)
class LearnedMerges:
    """A tokenizer that keeps its merges, or whose merges can be recovered."""

    source: TokenizerSource
    #: Its merge list, those aside marked.
    merges: MergeList
    #: What of it training did not choose.
    unlearned: Unlearned
    splitter: Splitter
    #: Whether it is WordPiece, whose symbols are respelt for the merging.
    wordpiece: bool = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of how it was read."""
        if not self.wordpiece:
            return ()
        return ("the merges are recovered from the vocabulary, which stands in their order",)

    @property
    def total(self) -> int:
        """How many merges there are."""
        return len(self.merges)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Reason -> merges left out."""
        return self.merges.dropped

    @property
    def duplicate_pieces(self) -> int:
        """How many pieces several ids have."""
        return len(self.unlearned.duplicate_pieces)

    def parts(self, step: int) -> tuple[str, ...]:
        """Return the pair of a merge as spelt in the vocabulary."""
        return self.merges.pair(step)

    def shown(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Return a pair as text; what is no text by itself as it is spelt in the vocabulary."""
        return wordpiece_pair(parts) if self.wordpiece else tuple(self._text(part) for part in parts)

    def cutting_doubts(self, mixture: Mixture) -> list[str]:
        """Return why the way of cutting text is not that of the training."""
        return cutting_doubts(self.merges, self.unlearned, self.splitter, mixture)

    def aside(self) -> dict[str, AsideSummary]:
        """Return kind of merge that is applied and not explained -> how many, and the first of them."""
        kinds = {"by_hand": self.unlearned.by_hand, "unformable": self.unlearned.unformable}
        return {
            kind: AsideSummary(
                count=int(which.sum()),
                examples=tuple(
                    MergeExample(step, self.shown(self.merges.pair(step)))
                    for step in np.flatnonzero(which)[:EXAMPLES].tolist()
                ),
            )
            for kind, which in kinds.items()
        }

    def unmade(self) -> UnmadeSummary:
        """Return the tokens that no merge makes."""
        return UnmadeSummary(
            declared=len(self.unlearned.added_declared),
            undeclared=len(self.unlearned.added_undeclared),
            examples=tuple(self._text(piece) for piece in self.unlearned.added_undeclared[:EXAMPLES]),
        )

    def _text(self, piece: str) -> str:
        if self.source.byte_level:
            return text_of_bytes(bytes_of_piece(piece)) or piece
        return piece.replace("\u2581", " ")


@dataclass(frozen=True, eq=False)
class LearnedPieces:
    """A tokenizer of which the frequency of the pieces is read."""

    source: TokenizerSource
    pieces: PieceList
    splitter: Splitter

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of how it was read."""
        if self.pieces.reading is Reading.RANKS:
            return ("the vocabulary is read as standing in the order of frequency, as BERT's does",)
        return ("the scores of the pieces are read as the logarithms of their frequencies",)

    def infer(
        self, counted: Sequence[PretokenCounts], most: int | None, baselines: bool, progress: Progress
    ) -> Mixture:
        """Return the mixture that the pieces point to.

        :raises BadInputError: If it is WordPiece in no order that tells anything, or the text cannot be used.
        """
        mixture = infer_from_pieces(counted, self.pieces, most, baselines, progress)
        if self.pieces.reading is Reading.RANKS:
            check_order(self.source, mixture)
        return mixture

    @property
    def total(self) -> int:
        """How many pieces there are."""
        return len(self.pieces.pieces)

    @property
    def dropped(self) -> Mapping[str, int]:
        """No piece is left out."""
        return {}

    @property
    def duplicate_pieces(self) -> int:
        """How many pieces several ids have."""
        return len(self.pieces.pieces) - len(set(self.pieces.pieces))

    def parts(self, step: int) -> tuple[str, ...]:
        """Return a piece alone."""
        return (self.pieces.pieces[step],)

    def shown(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Return it as text, the mark inside a word left in."""
        return tuple(part.replace("\u2581", " ") for part in parts)

    def cutting_doubts(self, mixture: Mixture) -> list[str]:
        """Nothing is known that pieces could tell about the way of cutting."""
        return []

    def aside(self) -> dict[str, AsideSummary]:
        """Return the pieces whose frequency training did not set, as those put in by hand."""
        which = np.flatnonzero(self.pieces.aside)
        examples = tuple(MergeExample(at, self.shown(self.parts(at))) for at in which[:EXAMPLES].tolist())
        return {"by_hand": AsideSummary(len(which), examples), "unformable": AsideSummary(0, ())}

    def unmade(self) -> UnmadeSummary:
        """No token is made by a merge, and none is missed."""
        return UnmadeSummary(0, 0, ())
