"""Tokens that a BPE vocabulary makes on the way to others and hardly ever leaves standing.

Three papers from one vector, `applied[r]`, the times merge r is applied to a text:

- R = final / created (LiteToken, arXiv 2602.04706): of all times a token is made, how often it stays. The
  paper also asks for few different neighbours and uses C4; its shares cannot be had from a small text.
- IoS of a token x in merge r (Picky BPE, arXiv 2409.04599, section 3.1): applied[r] over the count of x just
  before r. Where it is 0.9, nine of ten x vanish in that one merge.
- Scaffold tokens (arXiv 2404.17808) are decided during training; of them only R = 0 can be told here.

Single characters are left out: they are the alphabet. A token that was never made says only that the text
is small, so what is given is a bound on its rate (the rule of three), and never the word "unused".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.auditing.applied_merges import AppliedMerges

__all__ = ["IOS_LEVELS", "R_LEVELS", "Residues", "find_residues"]

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
Pair = tuple[str, str]

#: LiteToken reports tokens made at least this often, with R below .05.
LEAST_CREATED = 50
R_LEVELS = (0.01, 0.05, 0.10)
#: Thresholds of Picky BPE, table 1.
IOS_LEVELS = (0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class Residues:
    """What became of every token that merges can make, and counts of those that rarely stay."""

    #: The pieces, in the order in which merges first make them; all arrays follow it, shape (n,).
    pieces: tuple[str, ...]
    #: Times each was made, used up by another merge, and left standing.
    created: Int64Array
    consumed: Int64Array
    final: Int64Array
    #: final / created, not a number where it was never made.
    stays: Float64Array
    #: Largest IoS over the merges that use the piece; 0 where none does.
    vanishes: Float64Array
    #: Tokens of the text in the end.
    tokens: int
    #: Pieces made at least 50 times, and of these R below each level and exactly 0.
    examined: int
    below: Mapping[float, int]
    never_stay: int
    #: Of the same pieces, those with an IoS of at least each level.
    ios_at_least: Mapping[float, int]
    #: Pieces that the text never makes, and the 95 % upper limit of how often one occurs per token.
    never_created: int
    rate_bound: float


def find_residues(
    merges: Sequence[Pair], result: AppliedMerges, least_created: int = LEAST_CREATED
) -> Residues:
    """Return what became of every token.

    :param merges: The merges in order.
    :param result: How often each was applied.
    :param least_created: Times a piece must have been made before R and IoS are judged.
    """
    made = list(dict.fromkeys(left + right for left, right in merges))
    number = {piece: place for place, piece in enumerate(made)}
    created, consumed = np.zeros(len(made), dtype=np.int64), np.zeros(len(made), dtype=np.int64)
    vanishes = np.zeros(len(made))
    for (left, right), times in zip(merges, result.applied.tolist(), strict=True):
        if not times:
            continue
        for part in {left, right}:
            if (place := number.get(part)) is not None:
                # Merges take their turn in order, so this is what stands just before this one.
                standing = created[place] - consumed[place]
                vanishes[place] = max(vanishes[place], times / standing if standing > 0 else 0.0)
        for part in (left, right):
            if (place := number.get(part)) is not None:
                consumed[place] += times
        created[number[left + right]] += times
    for piece, times in result.taken_whole.items():
        if (place := number.get(piece)) is not None:
            created[place] += times
    final = created - consumed
    stays = np.divide(final, created, out=np.full(len(made), np.nan), where=created > 0)
    judged = created >= least_created
    return Residues(
        pieces=tuple(made),
        created=created,
        consumed=consumed,
        final=final,
        stays=stays,
        vanishes=vanishes,
        tokens=result.tokens,
        examined=int(judged.sum()),
        below={level: int((judged & (stays < level)).sum()) for level in R_LEVELS},
        never_stay=int((judged & (final == 0)).sum()),
        ios_at_least={level: int((judged & (vanishes >= level)).sum()) for level in IOS_LEVELS},
        never_created=int((created == 0).sum()),
        rate_bound=3 / max(result.tokens, 1),
    )
