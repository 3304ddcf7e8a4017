"""The cheap screen: every token on a few cells, to choose those worth the full measurement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.sticky.contraction import Baseline, cell_slopes
from forensics.sticky.interface import Encoder, Float64Array
from forensics.sticky.probes import ProbeSet

__all__ = ["BLOCK", "screen_block"]

#: Tokens that are encoded together. Blocks are cut from the whole vocabulary and computed whole even where
#: few of their tokens are asked for, so that no number depends on which.
BLOCK = 16


def screen_block(
    encoder: Encoder, probe_set: ProbeSet, baseline: Baseline, token_ids: Sequence[int]
) -> Float64Array:
    """Return the slopes of the screen's cells, `(tokens, cells)`.

    :param baseline: Prepared for `probe_set.screen_cells`.
    """
    cells = probe_set.screen_cells
    texts = [text for token_id in token_ids for text in probe_set.modified(token_id, cells)]
    vectors = encoder.embed(texts).astype(np.float64)
    after = (vectors @ probe_set.references.T).reshape(len(token_ids), len(cells), -1)
    return cell_slopes(baseline, after)
