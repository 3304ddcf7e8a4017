"""How likely whole sequences of equal length are, many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["score_sequences"]

#: Cells of logits held in float32 together: 256 MB.
_CELLS = 64 * 2**20


def score_sequences(
    model: Any, rows: npt.NDArray[np.int64], start: tuple[int, ...] = (), window: int | None = None
) -> npt.NDArray[np.float64]:
    """Return the log-probability of every row of ids, in nats, shape (n,).

    A row that is longer than a window is read in windows that overlap by half, each token scored once, with
    all that stands before it in its window.

    :param model: A causal language model with transformers' forward interface, in evaluation mode.
    :param rows: Ids, shape (n, length).
    :param start: Ids that the model expects before every text (BOS); without any the first token has none.
    :param window: Ids that the model can read at a time; None: any number.
    """
    whole = np.concatenate([np.tile(np.asarray(start, dtype=np.int64), (len(rows), 1)), rows], axis=1)
    length = whole.shape[1]
    size = length if window is None else min(window, length)
    first = max(1, len(start))
    found = np.zeros(len(rows))
    for begin, scored in _windows(length, size, first):
        part = whole[:, begin : begin + size]
        found += _score(model, part, scored - begin)
    return found


def _windows(length: int, size: int, first: int) -> list[tuple[int, int]]:
    """Return where each window begins, and the first place that is scored in it."""
    found, begin, scored = [], 0, first
    while scored < length:
        found.append((begin, scored))
        scored = begin + size
        begin = min(begin + max(1, size // 2), max(0, length - size))
    return found


def _score(model: Any, rows: npt.NDArray[np.int64], first: int) -> npt.NDArray[np.float64]:
    """Return the log-probability of ids `first` and later of every row, given those before."""
    import torch

    V = int(model.get_input_embeddings().weight.shape[0])
    batch = max(1, _CELLS // (V * rows.shape[1]))
    found = []
    with torch.inference_mode():
        for at in range(0, len(rows), batch):
            ids = torch.from_numpy(rows[at : at + batch]).to(model.device)
            logits = model(input_ids=ids, use_cache=False).logits[:, first - 1 : -1]
            own = logits.gather(2, ids[:, first:, None])[..., 0].float()
            log_p = own - logits.float().logsumexp(-1)
            found.append(log_p.sum(-1, dtype=torch.float64).cpu().numpy())
    return np.concatenate(found)
