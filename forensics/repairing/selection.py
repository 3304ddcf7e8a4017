"""Which rows of a matrix are replaced: what a scan verified and ordinary text does not clear.

A row that is equal bit for bit to such a row is as untrained as it, so groups go whole. Tokens with a role
and special or added entries that no file declares reserved stay whatever the scan says: chat templates are
written in these, and a row that a template puts before every answer is no row to experiment with.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.repairing.ban_list import ScannedTokens

__all__ = ["Selection", "select_rows"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """Rows that are to be replaced."""

    #: Row -> why, in the words of the column `why`; ascending.
    why: dict[int, str]
    #: Rows equal to a replaced one that stay because they are special, have a role or are to be kept.
    left: tuple[int, ...]


def select_rows(
    tokens: ScannedTokens,
    groups: npt.NDArray[np.int64],
    candidates: Mask | None = None,
    *,
    reserved: bool = False,
    past_vocabulary: bool = False,
    stay: Collection[int] = (),
) -> Selection:
    """Return the rows that are to be replaced.

    :param tokens: What the scan says of every row.
    :param groups: Number of the group of identical rows, -1 for a row like no other, shape (V,).
    :param candidates: Rows to take in place of verified ones, where nothing was verified.
    :param reserved: Replace what is declared reserved, too.
    :param past_vocabulary: Replace rows past the tokenizer's vocabulary, too.
    :param stay: Rows never to be replaced: those in a role, and those that the user keeps.
    """
    never = tokens.structural & ~tokens.reserved
    never[[row for row in stay if row < len(never)]] = True
    found = candidates if candidates is not None else tokens.verified & ~tokens.cleared
    # A verified entry that is declared reserved is replaced only if reserved ones are: it may be put to use.
    found = found & ~tokens.structural & ~tokens.past_vocabulary & ~never
    identical = np.isin(groups, np.unique(groups[found & (groups >= 0)])) & ~found
    why: dict[int, str] = {}
    for mask, word in (
        (found, "verified" if candidates is None else "candidate"),
        (identical & ~never, "identical row"),
        (tokens.reserved & ~never if reserved else None, "reserved"),
        (tokens.past_vocabulary & ~never if past_vocabulary else None, "past vocabulary"),
    ):
        for row in () if mask is None else np.flatnonzero(mask).tolist():
            why.setdefault(row, word)
    return Selection(dict(sorted(why.items())), tuple(np.flatnonzero(identical & never).tolist()))
