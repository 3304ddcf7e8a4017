"""What `mixture.json` and `merges.parquet` hold, from the result of the inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.mixture.bootstrap import Intervals
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.result import Mixture
from forensics.runs.mixture.learned import Learned
from forensics.schema.mixture import (
    MixtureSummary,
    MixtureTokenizer,
    RivalEntry,
    SplittingSummary,
    TextSummary,
    UnexplainedMerge,
    ViolationSummary,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["merge_table", "mixture_summary", "text_summary"]


def mixture_summary(
    learned: Learned,
    mixture: Mixture,
    counted: Sequence[PretokenCounts],
    intervals: Intervals | None,
    bootstrap: int,
    notes: Sequence[str],
) -> MixtureSummary:
    """Return what `mixture.json` says; times and memory are the frame's.

    :param learned: The tokenizer.
    :param mixture: The estimate.
    :param counted: The text.
    :param intervals: Intervals of the shares, where they were simulated.
    :param bootstrap: How many tokenizers were simulated for them.
    :param notes: What a reader should know.
    """
    source = learned.source
    doubts = (*mixture.doubts, *learned.cutting_doubts(mixture))
    ends = {} if intervals is None else intervals.ends
    return MixtureSummary(
        kind="mixture",
        model=source.name,
        tokenizer=MixtureTokenizer(source.name, source.format),
        splitting=SplittingSummary(
            learned.splitter.origin, "lines" if learned.splitter.by_line else "documents"
        ),
        method=str(mixture.method),
        reliable=not doubts,
        doubts=doubts,
        proportions=dict(mixture.proportions),
        interval={name: (each.low, each.high) for name, each in ends.items()} or None,
        bootstrap=bootstrap,
        groups=mixture.groups,
        other_method=mixture.other_method,
        merges_total=learned.total,
        merges_dropped=dict(learned.dropped),
        merges_aside=learned.aside(),
        tokens_without_merge=learned.unmade(),
        duplicate_pieces=learned.duplicate_pieces,
        merges_skipped=mixture.skipped,
        merges_used=mixture.merges_used,
        missing_merges=mixture.missing_merges,
        missing_examples=tuple(learned.shown(learned.parts(step)) for step in mixture.missing_steps),
        least_expected_count=mixture.least_expected,
        violation=ViolationSummary(
            total=mixture.unexplained_share,
            per_merge_mean=mixture.mean_shortfall,
            lp_slack=mixture.slack,
            lp_gap=mixture.slack_gap,
        ),
        early_late_disagreement=mixture.disagreement,
        unexplained=_unexplained(learned, mixture),
        baselines={name: dict(shares) for name, shares in mixture.baselines.items()} or None,
        notes=tuple(notes),
        text=text_summary(counted),
        seconds={},
        peak_rss_bytes=0,
        documents=None if intervals is None else dict(intervals.documents),
        group_interval=None
        if intervals is None
        else {name: (each.low, each.high) for name, each in intervals.groups.items()} or None,
    )


def _unexplained(learned: Learned, mixture: Mixture) -> tuple[UnexplainedMerge, ...]:
    return tuple(
        UnexplainedMerge(
            step=each.step,
            pair=learned.shown(each.pair),
            ratio=each.ratio,
            should_have_won=tuple(
                RivalEntry(learned.shown(rival.pair), rival.ratio) for rival in each.rivals
            ),
        )
        for each in mixture.unexplained
    )


def text_summary(counted: Sequence[PretokenCounts]) -> dict[str, TextSummary]:
    """Return how much text there was of every category."""
    return {
        c.name: TextSummary(
            bytes=c.nbytes,
            pretokens=c.occurrences,
            distinct_pretokens=len(c.words),
            dropped_rare=c.dropped,
            cut_in_chunks=c.in_chunks,
        )
        for c in counted
    }


def merge_table(learned: Learned, mixture: Mixture) -> pd.DataFrame:
    """Return step, pair, count in the mixture and on the curve of every merge (or piece) in the fit."""
    import pandas as pd

    shown = [(*learned.shown(learned.parts(int(step))), "") for step in mixture.steps]
    return pd.DataFrame(
        {
            "step": mixture.steps.astype(np.int64),
            "left": [pair[0] for pair in shown],
            "right": [pair[1] for pair in shown],
            "count_per_byte": mixture.counts,
            "curve_per_byte": mixture.curve,
        }
    )
