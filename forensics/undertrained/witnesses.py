"""What tells missing training without reference tokens: near neighbours and unread letters, together.

Each is a column by itself. Where the references rest on no evidence the two decide the ranking, as the mean
of their ranks: the one knows no script, the other no look-alikes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.undertrained.nearest_rows import OPERATIONS

__all__ = ["WHY_WITHOUT", "WITHOUT_REFERENCES", "Witnesses", "rank_without_references"]

#: Name of the ranking, beside those of the indicators.
WITHOUT_REFERENCES = "without_references"
#: Why it ranks, for the report.
WHY_WITHOUT = (
    "The references rest on no evidence, so two witnesses that need none decide together: how near the ten "
    "nearest rows are, and how little of its letters a row shows."
)


@dataclass(frozen=True)
class Witnesses:
    """What the two need beside the matrices."""

    #: The text of every token, None without.
    texts: Sequence[str | None]
    #: The script of every token, as `Vocabulary.script` has it, shape (V,).
    scripts: npt.NDArray[np.str_]
    #: Operations that the search for nearest rows may cost where references rest on evidence, and it is a
    #: column beside others.
    operations: float = OPERATIONS
    #: The same where they do not, and it decides.
    deciding: float = OPERATIONS


def rank_without_references(
    top10_cosine: npt.NDArray[np.float32],
    letter_strength: npt.NDArray[np.float32],
    eligible: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """Return the mean of both ranks as shares, low means suspicious, shape (V,); NaN with neither.

    :param top10_cosine: High means suspicious, NaN where unknown.
    :param letter_strength: Low means suspicious, NaN where unknown.
    :param eligible: Tokens among which ranks are counted.
    """
    ranks = np.stack([_share_below(-top10_cosine, eligible), _share_below(letter_strength, eligible)])
    known = ~np.isnan(ranks)
    total = np.where(known, ranks, 0).sum(axis=0)
    count = known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _share_below(values: npt.NDArray[np.float32], eligible: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return for each value the share of eligible values that are not above it, NaN for NaN."""
    among = np.sort(values[eligible & ~np.isnan(values)])
    share = np.searchsorted(among, values, side="right") / max(1, len(among))
    return np.where(np.isnan(values), np.nan, share)
