"""Rows by how frequent their tokens are: the cone of rare rows, plain in a released model.

Byte-pair merges come in the order of frequency, so the id is a proxy of it; where a corpus is given, counts
are better. "Rare Tokens Degenerate All Tokens" (arXiv 2109.03127) describes what shows: on SmolLM2-135M the
norm grows from 2.85 in the first tenth of the ids to 3.55 in the last and the cosine to the mean row from .43
to .74. Copying does not get worse with rarity: frequent tokens are short and structural.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["STRATA_BY_COUNT", "FrequencyStratum", "by_count", "by_id", "count_strata"]

#: Strata by id.
DECILES = 10
#: Upper ends of the strata by count, each included; the last is open.
COUNT_ENDS = (0, 3, 30, 300)
STRATA_BY_COUNT = len(COUNT_ENDS) + 1


@dataclass(frozen=True)
class FrequencyStratum:
    """Tokens of one stratum, and the mean of each measure over them."""

    #: What the stratum is, e.g. `id 0 to 4,869` or `seen 1 to 3 times`.
    name: str
    #: Tokens in it.
    tokens: int
    #: Measure -> its mean over the tokens that have a value; None where none has.
    means: dict[str, float | None]
    #: Its place among the strata, from 0.
    place: int = 0


def by_id(
    ids: npt.NDArray[np.int64], measures: Mapping[str, npt.NDArray[np.floating]]
) -> list[FrequencyStratum]:
    """Return ten strata of equally many tokens in the order of their ids.

    :param ids: Eligible tokens.
    :param measures: Name -> values of all rows, shape (V,): norm, cosine to the mean row, the indicator, and
        shares as 0 and 1 (verified, probe below .01) with NaN where unknown.
    """
    parts = [part for part in np.array_split(np.sort(ids), DECILES) if len(part)]
    names = [f"id {part[0]:,} to {part[-1]:,}" for part in parts]
    return _strata(names, parts, range(len(parts)), measures)


def count_strata(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return for each count the place of its stratum, 0 for never seen.

    >>> count_strata(np.array([0, 1, 3, 4, 5000])).tolist()
    [0, 1, 1, 2, 4]
    """
    return np.asarray(np.searchsorted(COUNT_ENDS, counts, side="left"), dtype=np.int64)


def by_count(
    ids: npt.NDArray[np.int64],
    counts: npt.NDArray[np.integer],
    measures: Mapping[str, npt.NDArray[np.floating]],
) -> list[FrequencyStratum]:
    """Return strata by how often tokens occur in a corpus, empty ones left out.

    :param ids: Eligible tokens.
    :param counts: Occurrences of every token, shape (V,).
    :param measures: See `by_id`.
    """
    place = count_strata(counts[ids])
    starts = (0, *(end + 1 for end in COUNT_ENDS))
    names, parts, places = [], [], []
    for number, start in enumerate(starts):
        part = ids[place == number]
        if not len(part):
            continue
        if number == 0:
            names.append("never seen")
        elif number == len(COUNT_ENDS):
            names.append(f"seen {start:,} times or more")
        else:
            names.append(f"seen {start:,} to {COUNT_ENDS[number]:,} times")
        parts.append(part)
        places.append(number)
    return _strata(names, parts, places, measures)


def _strata(
    names: Sequence[str],
    parts: Sequence[npt.NDArray[np.int64]],
    places: Sequence[int],
    measures: Mapping[str, npt.NDArray[np.floating]],
) -> list[FrequencyStratum]:
    strata = []
    for name, part, place in zip(names, parts, places, strict=True):
        means: dict[str, float | None] = {}
        for measure, values in measures.items():
            finite = values[part][np.isfinite(values[part])]
            means[measure] = float(finite.mean()) if len(finite) else None
        strata.append(FrequencyStratum(name, len(part), means, place))
    return strata
