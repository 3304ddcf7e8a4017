"""What the screen lets slip.

Two ways to know. By its error: the random sample of ordinary tokens, which no screen has chosen, says how
far the screen's value lies from the measured effect; so each token found has a known chance of having passed
the bar, and one that had a chance of 0.8 stands for a quarter of a token that slipped through. By draws:
tokens from below the bar are measured in full, densely just below it, and what is sticky among them is
scaled up. The first is precise but believes that a sticky token is screened with the same, normal error as an
ordinary one; the second believes nothing and is coarse. Where the second finds much, the first was wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forensics.sticky.interface import Float64Array

__all__ = ["Band", "ScreenRecall", "below_the_bar", "chance_to_pass", "draw_from_bands", "estimate_recall"]

#: Draws from the first band, which is as large as the shortlist, and from the second, three times that; of a
#: small band no more than a third. The rest of the vocabulary is covered by the sample of ordinary tokens.
DRAWS = (60, 40)
_MOST_OF_A_BAND = 1 / 3
_WIDTHS = (1, 3)
#: Sticky tokens among the draws from which on their count says more than the error of the screen does.
ENOUGH = 3
#: No token found stands for more than a hundred: its chance would then be a matter of the far tail.
LEAST_CHANCE = 0.01
#: Coverage of the bound.
COVERAGE = 0.95


@dataclass(frozen=True)
class Band:
    """Tokens with similar values of the screen, none of them shortlisted."""

    #: Ends of the screen's values.
    low: float
    high: float
    #: How many tokens, and how many of them were measured in full, drawn at random.
    tokens: int
    measured: int
    #: Mean and largest of the measured effects; None where nothing was measured.
    mean: float | None
    largest: float | None
    #: Measured tokens that turned out sticky.
    sticky: int


@dataclass(frozen=True)
class ScreenRecall:
    """How many sticky tokens the screen let slip."""

    bands: tuple[Band, ...]
    #: Sticky tokens to be expected below the bar, by the error of the screen.
    slipped_by_error: float
    #: The same by the draws from below the bar.
    slipped_by_draws: float
    #: Sticky tokens to be expected among all that were not measured: those that slipped, less those that the
    #: draws have found. By the draws if they found enough, else by the error of the screen.
    expected_missed: float
    #: Upper end of the one-sided 95 % interval of their number.
    missed_at_most: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def below_the_bar(screened: Mapping[int, float], shortlisted: Collection[int]) -> list[list[int]]:
    """Return the ids of the bands, the values next to the bar first; the last holds all the rest."""
    taken = set(shortlisted)
    left = sorted((i for i in screened if i not in taken), key=lambda i: (-screened[i], i))
    bands = []
    for width in _WIDTHS:
        bands.append(left[: width * len(taken)])
        left = left[width * len(taken) :]
    return [*bands, left]


def draw_from_bands(
    bands: Sequence[Sequence[int]], measured: Collection[int], rng: np.random.Generator
) -> list[int]:
    """Return random ids to be measured, rising; those measured already are not drawn again."""
    drawn: list[int] = []
    for band, wanted in zip(bands, DRAWS, strict=False):
        free = [i for i in band if i not in measured]
        most = min(wanted, int(np.ceil(len(band) * _MOST_OF_A_BAND)))
        drawn += rng.permutation(np.array(free, dtype=np.int64))[:most].tolist()
    return sorted(drawn)


def chance_to_pass(
    effects: Float64Array, bar: float, sample_screen: Float64Array, sample_effects: Float64Array
) -> Float64Array:
    """Return the chance that the screen gives a token of this effect a value of at least `bar`.

    The screen estimates the effect; the mean and the deviation of its error are those of the sample, and the
    chance is Student's predictive one, which knows how small the sample is.

    :param effects: Shape `(k,)`.
    :param bar: Least value of the screen that is measured in full.
    :param sample_screen: The screen's values of tokens that it did not choose, `(n,)`, at least 2.
    :param sample_effects: Their measured effects, `(n,)`.
    """
    from scipy import stats

    errors = sample_screen - sample_effects
    width = max(float(errors.std(ddof=1)) * float(np.sqrt(1 + 1 / len(errors))), 1e-12)
    chance: Float64Array = stats.t.sf((bar - effects - errors.mean()) / width, len(errors) - 1)
    return chance


def estimate_recall(
    bands: Sequence[Sequence[int]],
    screened: Mapping[int, float],
    effects: Mapping[int, float],
    sticky: Collection[int],
    sample: Sequence[int],
) -> ScreenRecall:
    """Return how many sticky tokens are to be expected among those that were not measured.

    :param bands: From `below_the_bar`.
    :param screened: Token id -> the screen's value.
    :param effects: Token id -> effect of the tokens measured in full.
    :param sticky: Tokens found.
    :param sample: Tokens measured without regard to the screen, at least 2.
    """
    from scipy import stats

    found = set(sticky)
    described = tuple(_describe(band, screened, effects, found) for band in bands if band)
    below = {i for band in bands for i in band}
    passed = np.array([effects[i] for i in sorted(found - below)])
    bar = min((screened[i] for i in screened if i not in below), default=np.inf)
    quick, full = np.array([screened[i] for i in sample]), np.array([effects[i] for i in sample])
    chance = np.maximum(chance_to_pass(passed, bar, quick, full), LEAST_CHANCE)
    by_error = float(((1 - chance) / chance).sum())
    by_draws = sum(band.sticky * band.tokens / band.measured for band in described if band.measured)
    drawn = len(found & below)
    if drawn >= ENOUGH:
        slipped = by_draws
        # The exact bound of a Poisson mean after `drawn` finds, each of which stands for as many tokens.
        bound = by_draws / drawn * float(stats.chi2.ppf(COVERAGE, 2 * (drawn + 1))) / 2
    else:
        slipped, bound = by_error, float(stats.poisson.ppf(COVERAGE, by_error))
    return ScreenRecall(
        bands=described,
        slipped_by_error=by_error,
        slipped_by_draws=by_draws,
        expected_missed=max(slipped - drawn, 0.0),
        missed_at_most=max(int(np.ceil(bound)) - drawn, 0),
    )


def _describe(
    band: Sequence[int], screened: Mapping[int, float], effects: Mapping[int, float], found: set[int]
) -> Band:
    values = [effects[i] for i in band if i in effects]
    return Band(
        low=float(screened[band[-1]]),
        high=float(screened[band[0]]),
        tokens=len(band),
        measured=len(values),
        mean=float(np.mean(values)) if values else None,
        largest=max(values, default=None),
        sticky=sum(i in found for i in band),
    )
