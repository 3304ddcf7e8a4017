"""Whether a row past the tokenizer's vocabulary can win the argmax.

A matrix padded beyond the tokenizer lets a sampler return an id that the tokenizer cannot decode, a
crash that users meet in production. The weights alone often settle whether it can happen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, blocks
from forensics.undertrained.rows import RowStatistics

__all__ = ["PastVocabulary", "past_vocabulary"]

#: Rows past the vocabulary that are tried as directions; more are left out (lowest ids first).
_MOST_TRIED = 256


@dataclass(frozen=True)
class PastVocabulary:
    """Rows past the vocabulary and whether one of them can have the largest logit."""

    #: Number of rows past the vocabulary.
    rows: int
    #: Whether a hidden state exists for which such a row wins; None where the weights do not settle it.
    can_win_argmax: bool | None
    #: One sentence for the report.
    explanation: str


def past_vocabulary(
    E_out: RowMatrix,
    statistics: RowStatistics,
    vocabulary_size: int,
    bias: npt.NDArray[np.float32] | None = None,
) -> PastVocabulary:
    """Return whether a row from `vocabulary_size` on can win the argmax over the logits.

    Two arguments are exact. A row equal bit for bit (and in its bias) to one inside the vocabulary ties
    with it, and argmax takes the lower id. A row whose logit is the largest for the hidden state that
    points along itself can win. What neither settles is reported as unsettled.

    :param E_out: The unembedding matrix, shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param vocabulary_size: Number of ids the tokenizer knows.
    :param bias: Bias of the head, shape `(V,)`, or None.
    """
    V = E_out.shape[0]
    past = np.arange(vocabulary_size, V)
    if len(past) == 0:
        return PastVocabulary(0, False, "The matrix has no row past the tokenizer's vocabulary.")
    if bias is not None and np.isneginf(bias[past]).all():
        return PastVocabulary(len(past), False, "Their bias is minus infinity, so no such row can win.")
    inside = set(statistics.hashes[:vocabulary_size].tolist())
    open_rows = [row for row in past.tolist() if int(statistics.hashes[row]) not in inside]
    if bias is None and not open_rows:
        return PastVocabulary(
            len(past), False, "Each is equal to a row inside the vocabulary, and argmax takes the lower id."
        )
    tried = [row for row in (open_rows or past.tolist()) if statistics.usable[row]][:_MOST_TRIED]
    winner = _wins_along_itself(E_out, np.asarray(tried, dtype=np.int64), bias) if tried else None
    if winner is not None:
        return PastVocabulary(
            len(past),
            True,
            f"A hidden state that points along row {winner} gives that row the largest logit: mask these "
            f"rows or cut the matrix to {vocabulary_size} rows.",
        )
    return PastVocabulary(
        len(past),
        None,
        f"None of the {len(tried)} rows tried wins for the hidden state along itself; "
        "that does not exclude another hidden state.",
    )


def _wins_along_itself(
    E_out: RowMatrix, rows: npt.NDArray[np.int64], bias: npt.NDArray[np.float32] | None
) -> int | None:
    """Return the first of `rows` whose own direction, far out, gives it the largest logit.

    The hidden state may be as long as it takes, so a finite bias does not matter.
    """
    allowed = np.ones(len(rows), dtype=bool) if bias is None else np.isfinite(bias[rows])
    rows = rows[allowed]
    directions = E_out.gather(rows)  # (k, d)
    own = np.einsum("ij,ij->i", directions, directions)  # (k,)
    with np.errstate(invalid="ignore", over="ignore"):
        for start, block in blocks(E_out):
            if len(rows) == 0:  # all beaten, which most matrices show in their first block
                return None
            logits = block @ directions.T  # (n, k)
            ids = np.arange(start, start + len(block))
            logits[ids[:, None] == rows[None, :]] = -np.inf
            # The margin keeps float32 rounding of a tie from passing as a win.
            unbeaten = own > np.nanmax(logits, axis=0, initial=-np.inf) * (1 + 1e-5)
            rows, directions, own = rows[unbeaten], directions[unbeaten], own[unbeaten]
    return int(rows[0]) if len(rows) else None
