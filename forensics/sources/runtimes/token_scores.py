"""What a causal language model says of the tokens of a text, position by position, and of no others.

The logits of one stretch are turned into a few numbers per position and forgotten: of 256 positions and
150,000 entries they would take 150 MB, and of a text a hundred times that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["TokenScores", "score_tokens"]

Float64Array = npt.NDArray[np.float64]

#: Positions whose logits are looked at together.
_POSITIONS = 128
#: Below this the exponential of a float32 is zero; its square is a number.
_LEAST_LOG = -1e4


@dataclass(frozen=True, eq=False)
class TokenScores:
    """What the model says of the n scored ids of one stretch; arrays of shape (n,)."""

    #: The ids that were scored; without ids in front of the text that is all but the first.
    ids: npt.NDArray[np.int64]
    #: Natural logarithm of the probability of each, in its place.
    log_p: Float64Array
    #: Mean and variance of log p over the vocabulary, weighted with p, in the same place.
    mean: Float64Array
    variance: Float64Array
    #: The likeliest token of each place.
    argmax: npt.NDArray[np.int64]
    #: Probability of each watched token, shape (n, watched).
    watched: npt.NDArray[np.float32]


def score_tokens(
    model: Any, ids: Sequence[int], start: Sequence[int] = (), watch: Sequence[int] = ()
) -> TokenScores:
    """Return what the model says of each token of one stretch of text.

    Without `start` the first token has no score: nothing stands before it.

    :param model: A causal language model with transformers' forward interface, in evaluation mode.
    :param ids: The text, at least two ids without `start`, and one with it.
    :param start: Ids that the model expects before every text (BOS).
    :param watch: Tokens whose probabilities are wanted in every place.
    """
    import torch

    whole = [*start, *(int(each) for each in ids)]
    first = max(1, len(start))
    scored = torch.tensor(whole[first:], dtype=torch.int64, device=model.device)
    watched_ids = torch.tensor([int(each) for each in watch], dtype=torch.int64, device=model.device)
    parts: list[tuple[Any, ...]] = []
    with torch.inference_mode():
        row = torch.tensor([whole], device=model.device)
        logits = model(input_ids=row, use_cache=False).logits[0, first - 1 : -1]
        for at in range(0, len(scored), _POSITIONS):
            log_p = logits[at : at + _POSITIONS].float().log_softmax(-1)  # (positions, V)
            p = log_p.exp()
            # A token of probability zero adds nothing, and 0 times minus infinity is not a number.
            finite = log_p.clamp_min(_LEAST_LOG)
            mean = (p * finite).sum(-1, dtype=torch.float64)
            spread = (p * (finite - mean.float()[:, None]) ** 2).sum(-1, dtype=torch.float64)
            own = log_p.gather(1, scored[at : at + _POSITIONS, None])[:, 0].double()
            parts.append((own, mean, spread, log_p.argmax(-1), p[:, watched_ids]))
    own, mean, spread, argmax, watched = (torch.cat(each).cpu().numpy() for each in zip(*parts, strict=True))
    return TokenScores(
        ids=np.asarray(scored.cpu().numpy(), dtype=np.int64),
        log_p=np.asarray(own, dtype=np.float64),
        mean=np.asarray(mean, dtype=np.float64),
        variance=np.asarray(spread, dtype=np.float64),
        argmax=np.asarray(argmax, dtype=np.int64),
        watched=np.asarray(watched, dtype=np.float32),
    )
