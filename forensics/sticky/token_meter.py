"""A model, two sets of sentences and a memory of what was measured on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.progress import Stage
from forensics.sticky.contraction import Baseline, TokenRegression, measure_token
from forensics.sticky.interface import Encoder, Float64Array, Keep, Recall
from forensics.sticky.probes import ProbeSet
from forensics.sticky.screening import screen_block

__all__ = ["TokenMeter"]


class TokenMeter:
    """Measures tokens one by one, and blocks of them for the screen; nothing is measured twice."""

    def __init__(
        self,
        encoder: Encoder,
        screen_encoder: Encoder,
        sets: tuple[ProbeSet, ProbeSet],
        u: float,
        recall: Recall,
        keep: Keep,
    ) -> None:
        """Prepare the similarities before any insertion.

        :param encoder: For the full measurement.
        :param screen_encoder: For the screen.
        :param sets: Sentences to find on and to confirm on.
        :param u: Mean similarity of the vocabulary's entries.
        :param recall: Looks up results of an interrupted run.
        :param keep: Told every result as it comes.
        """
        self._encoder, self._screen_encoder = encoder, screen_encoder
        self._sets, self._u, self._recall, self._keep = sets, u, recall, keep
        self._baselines = tuple(Baseline.of(probe_set, probe_set.cells) for probe_set in sets)
        self._screen_baseline = Baseline.of(sets[0], sets[0].screen_cells)

    def measure(self, which: int, token_ids: Sequence[int], stage: Stage) -> dict[int, TokenRegression]:
        """Measure tokens in full on the first (0) or the second (1) set."""
        measured = {}
        for token_id in token_ids:
            key = f"measure:{which}:{token_id}"
            kept = self._recall(key)
            if kept is None:
                probe_set, baseline = self._sets[which], self._baselines[which]
                found = measure_token(self._encoder, probe_set, baseline, token_id, self._u)
                self._keep(key, found.to_json())
            else:
                found = TokenRegression.from_json(kept)
            measured[token_id] = found
            stage.advance()
        return measured

    def screen(self, blocks: Sequence[Sequence[int]], stage: Stage) -> dict[int, Float64Array]:
        """Screen blocks of tokens, each as a whole; return the slopes per cell of each token."""
        slopes: dict[int, Float64Array] = {}
        for block in blocks:
            key = f"screen:{block[0]}:{len(block)}"
            kept = self._recall(key)
            if kept is None:
                rows = screen_block(self._screen_encoder, self._sets[0], self._screen_baseline, block)
                self._keep(key, rows.tolist())
            else:
                rows = np.array(kept)
            slopes.update(zip(block, rows, strict=True))
            stage.advance(len(block))
        return slopes
