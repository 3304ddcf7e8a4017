"""The indicators: one row each, with its column name, its meaning and its place in the order of preference.

Low means suspicious for all of them. What each is computed from stands in `undertrained/indicators.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INDICATORS", "INDICATOR_NAMES", "MEANINGS", "Indicator", "by_preference"]


@dataclass(frozen=True)
class Indicator:
    """One measure of suspicion."""

    #: Its column in `tokens.parquet`.
    name: str
    #: What it is, in a phrase.
    meaning: str
    #: Among indicators that separate equally well the smallest is taken.
    preference: int


#: In the order of the columns. A new indicator is a new row here and a function in `undertrained/`.
INDICATORS = (
    Indicator(
        "ein_l2_norm", "Euclidean norm of the embedding row: rows that saw only weight decay shrink", 1
    ),
    Indicator("ein_cosine", "cosine distance of the embedding row to the mean of the reference tokens", 5),
    Indicator("eout_cosine", "cosine distance of the unembedding row to the mean of the reference tokens", 3),
    Indicator(
        "eout_cosine_centered", "cosine distance to the mean of the reference tokens, after centring", 0
    ),
    Indicator(
        "eout_cosine_no_pc1",
        "cosine distance to the mean of the reference tokens, without the first component",
        2,
    ),
    Indicator("eout_l2", "Euclidean distance of the unembedding row to the mean of the reference tokens", 4),
    Indicator("eout_bias", "bias of the unembedding row", 6),
    Indicator(
        "without_references",
        "mean rank by near neighbours and by unread letters, where no evidence supports the references",
        7,
    ),
)

#: The columns of the indicators.
INDICATOR_NAMES = tuple(each.name for each in INDICATORS)
#: Column -> what it is, in a phrase.
MEANINGS = {each.name: each.meaning for each in INDICATORS}


def by_preference() -> tuple[str, ...]:
    """Return the names, the most preferred first.

    >>> by_preference()[0]
    'eout_cosine_centered'
    """
    return tuple(each.name for each in sorted(INDICATORS, key=lambda each: each.preference))
