"""The guard: new rows must not be noticed where the model reads and writes ordinary text.

Three numbers, each on the same text with and without the new rows. Perplexity is the whole of the harm.
Probability on the rows is harm in waiting: it is taken from other tokens wherever the text is another. A
position at which one of them is the likeliest token is one at which greedy decoding says it.

The limits are between what neutral rows do and what others do, measured on SmolLM2-135M: 19 mean rows raise
perplexity by less than 0.01 % and hold 8e-7 of the probability; the same direction at the norm of a trained
row raises it by 13 % and holds 8.5e-2; 974 rows chosen by weights alone raise it by 2.8 %, as means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.repair import GuardKind, GuardSummary

__all__ = ["MASS", "RISE", "ReadText", "judge"]

#: Largest relative rise of the perplexity, and largest mean probability on the rows.
RISE, MASS = 0.005, 1e-4
#: Positions at which a new row may be the likeliest token.
ARGMAX = 0


@dataclass(frozen=True, eq=False)
class ReadText:
    """What a model said of one kind of text."""

    #: Log-probability of each token in its place, shape (n,).
    log_p: npt.NDArray[np.float64]
    #: Probability of each of the rows in every place, shape (n, rows).
    on_rows: npt.NDArray[np.float32]
    #: The likeliest token of each place, shape (n,).
    argmax: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Total:
    """The three numbers over all kinds of text."""

    perplexity: float
    mass: float
    argmax: int


def judge(
    before: Mapping[str, ReadText], after: Mapping[str, ReadText], rows: npt.NDArray[np.int64]
) -> GuardSummary:
    """Return what changed, and what of it exceeds a limit.

    :param before: Kind of text -> what the untouched model said.
    :param after: The same with the new rows in it.
    :param rows: Ids of the rows.
    """
    kinds = tuple(
        GuardKind(kind, len(read.log_p), _perplexity(read.log_p), _perplexity(after[kind].log_p))
        for kind, read in before.items()
    )
    old, new = _total(before, rows), _total(after, rows)
    return GuardSummary(
        kinds=kinds,
        tokens=sum(each.tokens for each in kinds),
        perplexity_before=old.perplexity,
        perplexity_after=new.perplexity,
        mass_before=old.mass,
        mass_after=new.mass,
        argmax_before=old.argmax,
        argmax_after=new.argmax,
        limit_rise=RISE,
        limit_mass=MASS,
        limit_argmax=ARGMAX,
        objections=_objections(old, new),
    )


def _total(read: Mapping[str, ReadText], rows: npt.NDArray[np.int64]) -> _Total:
    log_p = np.concatenate([each.log_p for each in read.values()])
    on_rows = np.concatenate([each.on_rows.sum(axis=1, dtype=np.float64) for each in read.values()])
    argmax = np.concatenate([each.argmax for each in read.values()])
    return _Total(_perplexity(log_p), float(on_rows.mean()), int(np.isin(argmax, rows).sum()))


def _perplexity(log_p: npt.NDArray[np.float64]) -> float:
    return float(np.exp(-log_p.mean()))


def _objections(old: _Total, new: _Total) -> tuple[str, ...]:
    """Return what exceeds its limit; a number that is none exceeds every limit."""
    rise = new.perplexity / old.perplexity - 1
    found = []
    if not rise <= RISE:
        found.append(
            f"perplexity rises from {old.perplexity:.3f} to {new.perplexity:.3f} ({rise:+.2%}, at most "
            f"{RISE:.1%} is allowed)"
        )
    if not new.mass <= MASS:
        found.append(f"the rows take {new.mass:.2g} of the probability (at most {MASS:g} is allowed)")
    if new.argmax > ARGMAX:
        found.append(f"at {new.argmax:,} positions one of them is the likeliest token (none may be)")
    return tuple(found)
