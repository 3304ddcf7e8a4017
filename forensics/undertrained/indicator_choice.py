"""Choose the indicator that ranks the tokens, by how well each one tells reference tokens apart.

The source (Land and Bartolo 2024, section 3.2) uses the norm of `E_in` for untied models and the cosine
distance in `E_out` for tied ones; the norm works only where weight decay reached the rows, and `E_out`
carries less where a head bias can take its part. Instead of asking for the training recipe, each
indicator is tried: the reference tokens are halved, one half gives the mean and the other is ranked
against ordinary tokens. Departure from the source: among indicators that separate equally well, the
centred distance in `E_out` comes before the norm of `E_in` for untied models too, because on planted
truth it ranks the never-seen tokens better (benchmarks/planted_truth.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.indicators import by_preference

__all__ = ["IndicatorChoice", "area_under_curve", "choose_indicator"]

#: An area this near to the best counts as equal to it.
_MARGIN = 0.01


@dataclass(frozen=True)
class IndicatorChoice:
    """The chosen indicator and the reason."""

    #: Column name of the indicator.
    name: str
    #: One or two sentences for the report.
    why: str
    #: Area under the curve of each indicator: the probability that a held-out reference token ranks
    #: below an ordinary one; empty where there was nothing to try it on.
    separation: dict[str, float]


def area_under_curve(low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]) -> float:
    """Return the probability that a value of `low` is below one of `high`, ties counting half.

    >>> area_under_curve(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    0.875
    """
    low, ordered = low[~np.isnan(low)], np.sort(high[~np.isnan(high)])
    if len(low) == 0 or len(ordered) == 0:
        return float("nan")
    above = len(ordered) - np.searchsorted(ordered, low, side="right")
    equal = len(ordered) - np.searchsorted(ordered, low, side="left") - above
    return float((above + equal / 2).mean() / len(ordered))


def choose_indicator(
    held_out: Mapping[str, npt.NDArray[np.float32]],
    ordinary: Mapping[str, npt.NDArray[np.float32]],
) -> IndicatorChoice:
    """Return the indicator to rank by.

    :param held_out: Indicator -> values of reference tokens that did not take part in the mean; empty
        where there were too few to try.
    :param ordinary: Indicator -> values of ordinary tokens, for every indicator that was computed.
    :raises ValueError: If no indicator was computed.
    """
    names = [name for name in by_preference() if name in ordinary]
    if not names:
        raise ValueError("no indicator was computed")
    tried = {name: area_under_curve(held_out[name], ordinary[name]) for name in names if name in held_out}
    separation = {name: value for name, value in tried.items() if not np.isnan(value)}
    if not separation:
        return IndicatorChoice(
            names[0],
            "It is the first in order of preference; there were too few reference tokens to try it on.",
            {},
        )
    best = max(separation.values())
    name = next(name for name in names if separation.get(name, -1.0) >= best - _MARGIN)
    others = ", ".join(f"{other} {value:.3f}" for other, value in separation.items() if other != name)
    return IndicatorChoice(
        name,
        f"It ranks held-out reference tokens below ordinary ones with probability {separation[name]:.3f}"
        + (f" (the others: {others})." if others else "."),
        separation,
    )
