"""The order of a data set: first put to a judge that never saw the model, then to the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.errors import BadInputError
from forensics.exposure.blind import neighbour_likeness
from forensics.exposure.order import LEAST_LINES, cut_shards, rank_sum_p, shuffled_orders
from forensics.runs.membership.model import AskedModel
from forensics.schema.membership import BlindOrder, MembershipOptions, OrderSummary, ShardEntry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BLIND_P", "examine_order"]

#: Below this p of the blind test the order is no evidence; and orders that it draws at most.
BLIND_P, BLIND_DRAWS = 0.05, 999
#: Fewer lines make fewer than two shards.
_LEAST = 2 * LEAST_LINES
_SHOWN = 120


def examine_order(
    asked: AskedModel, lines: Sequence[str], options: MembershipOptions, rng: np.random.Generator
) -> tuple[OrderSummary, pd.DataFrame]:
    """Return whether the model prefers the given order, and a table of the lines.

    The model is not asked where neighbouring lines belong together.

    :param asked: The model.
    :param lines: The data set in its order.
    :param options: Shards and shuffles.
    :param rng: The run's generator.
    :raises BadInputError: If there are too few lines.
    """
    if len(lines) < _LEAST:
        raise BadInputError("dataset", f"{len(lines)} lines", f"give at least {_LEAST}")
    shards = cut_shards(len(lines), options.shards)
    with asked.progress.stage("blind test of neighbours"):
        draws = min(BLIND_DRAWS, options.permutations)
        alike, shuffled, p = neighbour_likeness(lines, shards, rng, draws)
    blind = BlindOrder(alike, shuffled, p, BLIND_P, belong_together=p < BLIND_P)
    entries: list[ShardEntry] = []
    if not blind.belong_together:
        _say_cost(asked, lines, options)
        with asked.progress.stage("orders", len(shards), "shards") as stage:
            for shard in shards:
                entries.append(_shard(asked, lines, shard, options.shuffles, rng))
                stage.advance()
    p_order = rank_sum_p([each.at_least for each in entries], options.shuffles) if entries else None
    gains = [each.canonical - each.shuffled_mean for each in entries]
    summary = OrderSummary(
        lines=len(lines),
        repeated=len(lines) - len(set(lines)),
        shuffles=options.shuffles,
        blind=blind,
        shards=tuple(entries),
        p=p_order,
        log10_p=None if p_order is None else math.log10(p_order),
        gain=float(np.mean(gains)) if gains else None,
    )
    return summary, _table(lines, shards)


def _say_cost(asked: AskedModel, lines: Sequence[str], options: MembershipOptions) -> None:
    tokens = sum(len(asked.encode(f"{line}\n")) for line in lines)
    count = tokens * (1 + options.shuffles)
    asked.progress.note(f"The model reads {count:,} tokens: {tokens:,} in {1 + options.shuffles:,} orders.")


def _shard(
    asked: AskedModel, lines: Sequence[str], shard: slice, shuffles: int, rng: np.random.Generator
) -> ShardEntry:
    """Return how likely the lines of one shard are in their order and in random ones.

    Each line is encoded by itself, with a line end, so that all orders have the same tokens.
    """
    from forensics.sources.runtimes.sequence_scores import score_sequences

    encoded = [asked.encode(f"{line}\n") for line in lines[shard]]
    orders = shuffled_orders(len(encoded), shuffles, rng)
    rows = np.stack([np.concatenate([encoded[line] for line in order]) for order in orders.tolist()])
    found = score_sequences(asked.model, rows, asked.start, asked.window)
    canonical, shuffled = float(found[0]), found[1:]
    # Orders that differ in equal lines alone are as likely but for rounding.
    slack = 1e-6 * abs(canonical)
    return ShardEntry(
        first_line=shard.start,
        lines=len(encoded),
        tokens=rows.shape[1],
        canonical=canonical,
        shuffled_mean=float(shuffled.mean()),
        shuffled_sd=float(shuffled.std(ddof=1)),
        at_least=int((shuffled >= canonical - slack).sum()),
    )


def _table(lines: Sequence[str], shards: Sequence[slice]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "set": "dataset",
            "index": np.arange(len(lines)),
            "beginning": [line[:_SHOWN] for line in lines],
            "shard": np.repeat(np.arange(len(shards)), [each.stop - each.start for each in shards]),
        }
    )
