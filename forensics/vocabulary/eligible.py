"""Which tokens are a priori unused, by kind, and which may be candidates: read off the vocabulary."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.schema.words import ByteRole, Category
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["eligible_tokens", "reference_evidence", "well_trained_controls"]

#: Controls drawn in every run.
CONTROLS = 24
_UNREACHABLE = (Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI)


def reference_evidence(vocabulary: Vocabulary, rows: int) -> dict[str, list[int]]:
    """Return kind of evidence -> ids within the matrix (see `undertrained.reference.KINDS`).

    :param vocabulary: The vocabulary.
    :param rows: Rows of the matrix.
    """
    reserved = np.array([word is not None for word in vocabulary.reserved])
    unreachable = np.isin(vocabulary.category, _UNREACHABLE)
    masks = {
        "unused_row": vocabulary.category == Category.UNUSED_ROW,
        "never_valid_byte": vocabulary.byte_role == ByteRole.NEVER_VALID,
        "reserved": reserved,
        "unreachable": unreachable & ~vocabulary.is_byte & ~vocabulary.is_special & ~reserved,
        "special": vocabulary.is_special & ~reserved,
    }
    return {kind: np.flatnonzero(mask[:rows]).tolist() for kind, mask in masks.items()}


def eligible_tokens(vocabulary: Vocabulary, rows: int) -> npt.NDArray[np.bool_]:
    """Mark the tokens that may be candidates: `ok`, not reserved, not special, not a single byte.

    Reserved entries are reported as what they are and single bytes in a table of their own; neither
    uses up candidates.

    :return: Shape `(rows,)`.
    """
    reserved = np.array([word is not None for word in vocabulary.reserved])
    mask = (vocabulary.category == Category.OK) & ~reserved & ~vocabulary.is_special & ~vocabulary.is_byte
    eligible = np.zeros(rows, dtype=bool)
    n = min(rows, len(mask))
    eligible[:n] = mask[:n]
    return eligible


def well_trained_controls(
    vocabulary: Vocabulary, ranking: npt.NDArray[np.int64], rng: np.random.Generator
) -> list[int]:
    """Return tokens that any model of the vocabulary has seen often.

    Whole lower-case ASCII words of three letters or more after a space, among the smallest ids that
    there are: merges come in the order of frequency. They are drawn from the least suspicious half of
    the ranking.

    :param ranking: Eligible tokens, most suspicious first.
    """
    calm = np.sort(ranking[len(ranking) // 2 :])
    words = [i for i in calm.tolist() if _is_plain_word(vocabulary.text[i], vocabulary.pieces[i])]
    pool = words[: max(CONTROLS, len(words) // 10)] or calm[: 4 * CONTROLS].tolist()
    size = min(CONTROLS, len(pool))
    return sorted(int(i) for i in rng.choice(pool, size=size, replace=False)) if size else []


def _is_plain_word(text: str | None, piece: str | None) -> bool:
    # WordPiece has no leading space; a piece that continues a word is no whole word there.
    word = (text or "").removeprefix(" ")
    return (
        len(word) >= 3 and word.isascii() and word.isalpha() and word.islower() and "##" not in (piece or "")
    )
