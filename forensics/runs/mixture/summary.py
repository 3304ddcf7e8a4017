"""What `mixture.json` and `merges.parquet` hold, from the result of the inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics.mixture.bootstrap import Interval
from forensics.mixture.cutting_doubt import cutting_doubts
from forensics.mixture.infer import Mixture
from forensics.mixture.pretokens import PretokenCounts
from forensics.schema.mixture import (
    AsideSummary,
    MergeExample,
    MixtureSummary,
    MixtureTokenizer,
    RivalEntry,
    SplittingSummary,
    TextSummary,
    UnexplainedMerge,
    UnmadeSummary,
    ViolationSummary,
)
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.spelling import text_of_bytes
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unlearned import Unlearned

if TYPE_CHECKING:
    import pandas as pd

    from forensics.sources.interface import TokenizerSource

__all__ = ["Learned", "merge_table", "mixture_summary", "text_summary"]

#: Examples kept of each kind of merge or token that training did not choose.
EXAMPLES = 20


@dataclass(frozen=True, eq=False)
class Learned:
    """A tokenizer and what training chose of it."""

    source: TokenizerSource
    #: Its merge list, those aside marked.
    merges: MergeList
    #: What of it training did not choose.
    unlearned: Unlearned
    #: How text is cut.
    splitter: Splitter

    def text(self, piece: str) -> str:
        """Return a piece as text; what is no text by itself as it is spelt in the vocabulary."""
        if self.source.byte_level:
            return text_of_bytes(bytes_of_piece(piece)) or piece
        return piece.replace("\u2581", " ")

    def shown(self, pair: tuple[str, str]) -> tuple[str, ...]:
        """Return a pair as text."""
        return tuple(self.text(part) for part in pair)


def mixture_summary(
    learned: Learned,
    mixture: Mixture,
    counted: Sequence[PretokenCounts],
    intervals: Mapping[str, Interval],
    bootstrap: int,
    notes: Sequence[str],
) -> MixtureSummary:
    """Return what `mixture.json` says; times and memory are the frame's.

    :param learned: The tokenizer.
    :param mixture: The estimate.
    :param counted: The text.
    :param intervals: Intervals of the shares, by category; may be empty.
    :param bootstrap: How many tokenizers were simulated for them.
    :param notes: What a reader should know.
    """
    source, merges, unlearned = learned.source, learned.merges, learned.unlearned
    doubts = (*mixture.doubts, *cutting_doubts(merges, unlearned, learned.splitter, mixture))
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
        interval={name: (each.low, each.high) for name, each in intervals.items()} or None,
        bootstrap=bootstrap,
        groups=mixture.groups,
        other_method=mixture.other_method,
        merges_total=len(merges),
        merges_dropped=dict(merges.dropped),
        merges_aside=_aside(learned),
        tokens_without_merge=UnmadeSummary(
            declared=len(unlearned.added_declared),
            undeclared=len(unlearned.added_undeclared),
            examples=tuple(learned.text(piece) for piece in unlearned.added_undeclared[:EXAMPLES]),
        ),
        duplicate_pieces=len(unlearned.duplicate_pieces),
        merges_skipped=mixture.skipped,
        merges_used=mixture.merges_used,
        missing_merges=mixture.missing_merges,
        missing_examples=tuple(learned.shown(merges.pair(step)) for step in mixture.missing_steps),
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
    """Return step, pair, count in the mixture and on the curve of every merge in the fit."""
    import pandas as pd

    shown = [learned.shown(learned.merges.pair(int(step))) for step in mixture.steps]
    return pd.DataFrame(
        {
            "step": mixture.steps.astype(np.int64),
            "left": [pair[0] for pair in shown],
            "right": [pair[1] for pair in shown],
            "count_per_byte": mixture.counts,
            "curve_per_byte": mixture.curve,
        }
    )


def _aside(learned: Learned) -> dict[str, AsideSummary]:
    """Return kind of merge that is applied and not explained -> how many, and the first of them."""
    kinds = {"by_hand": learned.unlearned.by_hand, "unformable": learned.unlearned.unformable}
    return {
        kind: AsideSummary(
            count=int(which.sum()),
            examples=tuple(
                MergeExample(step, learned.shown(learned.merges.pair(step)))
                for step in np.flatnonzero(which)[:EXAMPLES].tolist()
            ),
        )
        for kind, which in kinds.items()
    }
