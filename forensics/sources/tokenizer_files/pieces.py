"""The table of pieces by token id, as the files have it: gaps and all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError

__all__ = ["LARGEST_TOKEN_ID", "ids_of_pieces", "pieces_by_id", "vocabulary_notes"]

#: No released vocabulary comes near this; a larger id is damage, and would cost gigabytes to lay out.
LARGEST_TOKEN_ID = 2**24


def pieces_by_id(where: Path, vocab: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Return the piece of every id from 0 to the largest, None where there is a gap.

    :param where: The file, for the error.
    :param vocab: piece -> id.
    :raises BadInputError: If an id is not a whole number, out of range, or given to two pieces.
    """
    for piece, token_id in vocab.items():
        if (
            isinstance(token_id, bool)
            or not isinstance(token_id, int)
            or not 0 <= token_id <= LARGEST_TOKEN_ID
        ):
            raise BadInputError(where, f"the id of {piece!r} is {token_id!r}", "the vocabulary is damaged")
    pieces: list[str | None] = [None] * (max(vocab.values(), default=-1) + 1)
    for piece, token_id in vocab.items():
        if pieces[token_id] is not None:
            found = f"id {token_id} stands for both {pieces[token_id]!r} and {piece!r}"
            raise BadInputError(where, found, "two pieces cannot share a row; the vocabulary is damaged")
        pieces[token_id] = piece
    return tuple(pieces)


def ids_of_pieces(pieces: Sequence[str | None]) -> dict[str, int]:
    """Return piece -> id; of a piece that stands twice the last id, as llama.cpp and SentencePiece do."""
    return {piece: token_id for token_id, piece in enumerate(pieces) if piece is not None}


def vocabulary_notes(pieces: Sequence[str | None]) -> list[str]:
    """Return remarks on gaps in the ids and on pieces that stand at several ids."""
    notes = []
    gaps = [token_id for token_id, piece in enumerate(pieces) if piece is None]
    if gaps:
        notes.append(f"{len(gaps):,} ids have no piece (the first is {gaps[0]})")
    counts = Counter(piece for piece in pieces if piece is not None)
    repeated = [piece for piece, count in counts.items() if count > 1]
    if repeated:
        notes.append(f"{len(repeated):,} pieces stand at several ids (the first is {repeated[0]!r})")
    return notes
