"""How well a model predicts tokens in a text, by how often they occur in the rest of it.

The mean of -log p of the targets of each stratum of `by_frequency.count_strata`, after "The Fair Language
Model Paradox" (arXiv 2410.11985), whose point is that an average over all targets hides the rare ones.
Stretches of the text are read that lie far apart, and the interval is that of a ratio of sums over them,
because targets of one stretch come together. What is read is not counted: a token that occurs nowhere else
is then one that was never seen. Whether the model was trained on the text is for the user to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.undertrained.emission import Ids

__all__ = ["STRETCH", "StratumLoss", "loss_of_strata", "read_losses", "spread_stretches"]

#: Ids in one stretch, and positions read in all.
STRETCH, POSITIONS = 128, 6144
#: A text has so many times the length of what is read of it, so that most of it is counted.
_SPARED = 4


@dataclass(frozen=True)
class StratumLoss:
    """Mean loss of the targets of one stratum."""

    #: Targets, and stretches that hold one.
    targets: int
    stretches: int
    #: Mean of -log p in nats, with the limits of its 95 % interval; NaN where too little was read.
    mean: float
    low: float
    high: float


def spread_stretches(streams: Sequence[Ids]) -> list[npt.NDArray[np.int64]]:
    """Return stretches that lie far apart, as many of each text as it is long enough for.

    :param streams: Ids of each text.
    """
    share = max(1, POSITIONS // STRETCH // max(1, len(streams)))
    stretches = []
    for stream in streams:
        count = min(share, len(stream) // (_SPARED * STRETCH))
        for start in np.linspace(0, len(stream) - STRETCH, count).astype(int).tolist():
            stretches.append(np.asarray(stream[start : start + STRETCH], dtype=np.int64))
    return stretches


def read_losses(
    model: Any, stretches: Sequence[Ids], start: Sequence[int] = ()
) -> list[npt.NDArray[np.float32]]:
    """Return -log p in nats of every id of each stretch but the first, arrays of shape (n - 1,).

    :param model: A causal language model with transformers' forward interface, in evaluation mode.
    :param stretches: Ids of stretches of ordinary text, two or more each.
    :param start: Ids that the model expects before every text (BOS).
    """
    import torch

    losses = []
    with torch.inference_mode():
        for ids in stretches:
            row = torch.tensor([[*start, *map(int, ids)]], device=model.device)
            logits = model(input_ids=row, use_cache=False).logits[0, len(start) : -1].float()  # (n - 1, V)
            targets = row[0, len(start) + 1 :]
            of_target = logits.gather(1, targets[:, None])[:, 0]
            losses.append(np.asarray((logits.logsumexp(-1) - of_target).cpu().numpy(), dtype=np.float32))
    return losses


def loss_of_strata(
    stretches: Sequence[Ids],
    losses: Sequence[npt.NDArray[np.floating]],
    strata: npt.NDArray[np.integer],
    count: int,
) -> list[StratumLoss]:
    """Return the mean loss of each stratum.

    :param stretches: What was read.
    :param losses: What `read_losses` gave for it.
    :param strata: The stratum of every token, -1 for tokens that are in none, shape (V,).
    :param count: How many strata there are.
    """
    sums = np.zeros((len(stretches), count))
    targets = np.zeros((len(stretches), count))
    for place, (ids, loss) in enumerate(zip(stretches, losses, strict=True)):
        of = strata[np.asarray(ids)[1:]]
        inside = (of >= 0) & np.isfinite(loss)
        sums[place] = np.bincount(of[inside], weights=loss[inside], minlength=count)
        targets[place] = np.bincount(of[inside], minlength=count)
    return [_ratio(sums[:, stratum], targets[:, stratum]) for stratum in range(count)]


def _ratio(sums: npt.NDArray[np.float64], targets: npt.NDArray[np.float64]) -> StratumLoss:
    """Return the ratio of two sums over stretches with its interval by Student's t."""
    held = targets > 0
    m, total = int(held.sum()), float(targets.sum())
    if m == 0:
        return StratumLoss(0, 0, math.nan, math.nan, math.nan)
    mean = float(sums.sum()) / total
    if m == 1:
        return StratumLoss(int(total), m, mean, math.nan, math.nan)
    from scipy.stats import t

    residues = sums[held] - mean * targets[held]
    half = float(t.ppf(0.975, m - 1)) * math.sqrt(m / (m - 1) * float(residues @ residues)) / total
    return StratumLoss(int(total), m, mean, mean - half, mean + half)
