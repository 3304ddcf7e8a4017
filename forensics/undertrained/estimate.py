"""How many tokens would verify in all, from those counted and random samples of the rest.

Stratified sampling without replacement: the vocabulary below the point where the search stopped is cut
into strata by rank, and some tokens of each are verified. The interval joins exact (Clopper-Pearson)
limits of the strata by the method of variance estimates recovery (Zou and Donner 2008, Statistics in
Medicine 27:1693): squared distances from estimate to limit add up as variances do. Clopper-Pearson is on
the safe side for the small counts met here: in 4,000 simulated surveys of each of eight vocabularies, with
samples of 20, 40 and 60 per stratum, the interval held the truth in 95 to 100 %, and its misses were nearly
all overestimates of the lower limit. `tests/undertrained/test_estimate.py` repeats a part of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.errors import BadInputError

__all__ = ["Estimate", "Stratum", "clopper_pearson", "estimate_total"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Stratum:
    """A stretch of the ranking of which a random sample was verified."""

    #: Tokens in the stretch.
    size: int
    #: How many of them were drawn and tested.
    tested: int
    #: How many of the tested verified.
    verified: int


@dataclass(frozen=True)
class Estimate:
    """A number with an interval around it."""

    #: The best guess.
    value: float
    #: Lower limit.
    low: float
    #: Upper limit.
    high: float


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return the share `successes / trials` with its exact binomial interval.

    Without trials nothing is known: the interval is [0, 1] and the value NaN.

    >>> clopper_pearson(0, 20).high
    0.168...
    """
    if not 0 <= successes <= trials:
        raise BadInputError("sample", f"{successes} of {trials}", "give 0 <= successes <= trials")
    if trials == 0:
        return Estimate(math.nan, 0.0, 1.0)
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.ppf(1 - tail, successes + 1, trials - successes))
    return Estimate(successes / trials, low, high)


def estimate_total(counted: int, strata: Sequence[Stratum], confidence: float = CONFIDENCE) -> Estimate:
    """Return how many tokens would verify if all were put to the model.

    :param counted: Tokens that did verify outside the strata.
    :param strata: What the samples showed; tokens tested in them are known and not extrapolated. A stratum
        of which nothing was tested counts as anything between none and all of it, half as the value.
    :param confidence: Coverage of the interval.
    :raises BadInputError: If a sample is larger than its stratum.
    """
    value, below, above = float(counted), 0.0, 0.0
    known = float(counted)
    for stratum in strata:
        if not 0 <= stratum.tested <= stratum.size:
            raise BadInputError("stratum", f"{stratum}", "a sample cannot exceed its stratum")
        share = clopper_pearson(stratum.verified, stratum.tested, confidence)
        middle = 0.5 if math.isnan(share.value) else share.value
        rest = stratum.size - stratum.tested
        known += stratum.verified
        value += stratum.verified + rest * middle
        below += (rest * (middle - share.low)) ** 2
        above += (rest * (share.high - middle)) ** 2
    everything = counted + sum(s.size for s in strata)
    return Estimate(
        value, max(known, value - math.sqrt(below)), min(float(everything), value + math.sqrt(above))
    )
