"""What `mixture.json` and `merges.parquet` hold, from the result of the inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.mixture.bootstrap import Interval
from forensics.mixture.infer import Mixture
from forensics.mixture.pretokens import PretokenCounts
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.spelling import text_of_bytes
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unlearned import Unlearned

if TYPE_CHECKING:
    import pandas as pd

    from forensics.sources.interface import TokenizerSource

__all__ = ["merge_table", "mixture_summary", "text_summary"]

#: Examples kept of each kind of merge or token that training did not choose.
EXAMPLES = 20
#: Share of the merges looked at that the way of cutting can never form, above which it is not the one of
#: the training. Under their own rule GPT-2, GPT-NeoX, Falcon, SmolLM2, cl100k_base, o200k_base and Claude
#: have none; of the first 3,000 merges of GPT-2's list the rules of others forbid 1.6 to 3.7 %, of
#: cl100k_base's GPT-2's rule 11 %.
MOST_UNFORMABLE = 0.01


def mixture_summary(
    source: TokenizerSource,
    merges: MergeList,
    unlearned: Unlearned,
    splitter: Splitter,
    mixture: Mixture,
    intervals: Mapping[str, Interval],
    bootstrap: int,
) -> dict[str, Any]:
    """Return what `mixture.json` says about the tokenizer and the estimate.

    :param source: The tokenizer.
    :param merges: Its merge list.
    :param unlearned: What of it training did not choose.
    :param splitter: How text was cut.
    :param mixture: The estimate.
    :param intervals: Its intervals, by category; may be empty.
    :param bootstrap: How many tokenizers were simulated for them.
    """
    doubts = [*mixture.doubts, *_doubts(merges, unlearned, splitter, mixture)]
    return {
        "kind": "mixture",
        "tokenizer": {"name": source.name, "path": str(source.path), "format": source.format},
        "splitting": {"origin": splitter.origin, "unit": "lines" if splitter.by_line else "documents"},
        "method": str(mixture.method),
        "reliable": not doubts,
        "doubts": doubts,
        "proportions": dict(mixture.proportions),
        "interval": {name: [each.low, each.high] for name, each in intervals.items()} or None,
        "bootstrap": bootstrap,
        "groups": mixture.groups,
        "other_method": mixture.other_method,
        "merges_total": len(merges),
        "merges_dropped": dict(merges.dropped),
        "merges_aside": _aside(merges, unlearned, source),
        "tokens_without_merge": {
            "declared": len(unlearned.added_declared),
            "undeclared": len(unlearned.added_undeclared),
            "examples": [_text(piece, source) for piece in unlearned.added_undeclared[:EXAMPLES]],
        },
        "duplicate_pieces": len(unlearned.duplicate_pieces),
        "merges_skipped": mixture.skipped,
        "merges_used": mixture.merges_used,
        "missing_merges": mixture.missing_merges,
        "missing_examples": [_shown(merges.pair(step), source) for step in mixture.missing_steps],
        "least_expected_count": mixture.least_expected,
        "violation": {
            "total": mixture.unexplained_share,
            "per_merge_mean": float(np.mean(np.clip(1 - mixture.counts / mixture.curve, 0, 1))),
            "lp_slack": mixture.slack,
            "lp_gap": mixture.slack_gap,
        },
        "early_late_disagreement": mixture.disagreement,
        "unexplained": [
            {
                "step": each.step,
                "pair": _shown(each.pair, source),
                "ratio": each.ratio,
                "should_have_won": [
                    {"pair": _shown(rival.pair, source), "ratio": rival.ratio} for rival in each.rivals
                ],
            }
            for each in mixture.unexplained
        ],
        "baselines": dict(mixture.baselines) or None,
    }


def text_summary(counted: Sequence[PretokenCounts]) -> dict[str, dict[str, Any]]:
    """Return how much text there was of every category."""
    return {
        c.name: {
            "bytes": c.nbytes,
            "pretokens": c.occurrences,
            "distinct_pretokens": len(c.words),
            "dropped_rare": c.dropped,
            "cut_in_chunks": c.in_chunks,
        }
        for c in counted
    }


def merge_table(merges: MergeList, mixture: Mixture, source: TokenizerSource) -> pd.DataFrame:
    """Return step, pair, count in the mixture and on the curve of every merge in the fit."""
    import pandas as pd

    shown = [_shown(merges.pair(int(step)), source) for step in mixture.steps]
    return pd.DataFrame(
        {
            "step": mixture.steps.astype(np.int64),
            "left": [pair[0] for pair in shown],
            "right": [pair[1] for pair in shown],
            "count_per_byte": mixture.counts,
            "curve_per_byte": mixture.curve,
        }
    )


def _aside(merges: MergeList, unlearned: Unlearned, source: TokenizerSource) -> dict[str, Any]:
    """Return kind of merge that is applied and not explained -> how many, and the first of them."""
    kinds = {"by_hand": unlearned.by_hand, "unformable": unlearned.unformable}
    return {
        kind: {
            "count": int(which.sum()),
            "examples": [
                {"step": step, "pair": _shown(merges.pair(step), source)}
                for step in np.flatnonzero(which)[:EXAMPLES].tolist()
            ],
        }
        for kind, which in kinds.items()
    }


def _doubts(merges: MergeList, unlearned: Unlearned, splitter: Splitter, mixture: Mixture) -> list[str]:
    """Return why the way of cutting text is not that of the training."""
    looked_at = slice(mixture.skipped, _end(merges, mixture))
    never = int(unlearned.unformable[looked_at].sum())
    whole = looked_at.stop - looked_at.start
    if never <= MOST_UNFORMABLE * whole:
        return []
    return [
        f"{never:,} of {whole:,} merges can never be formed in text cut by {splitter.origin}: they were "
        "learned under another rule"
    ]


def _end(merges: MergeList, mixture: Mixture) -> int:
    """Return the number of the first merge after those that were looked at."""
    asked = np.flatnonzero(~merges.aside[mixture.skipped :])[: mixture.merges_used]
    return mixture.skipped + int(asked[-1]) + 1


def _shown(pair: tuple[str, str], source: TokenizerSource) -> list[str]:
    """Return a pair as text; a part that is no text by itself as it is spelt in the vocabulary."""
    return [_text(part, source) for part in pair]


def _text(piece: str, source: TokenizerSource) -> str:
    if source.byte_level:
        return text_of_bytes(bytes_of_piece(piece)) or piece
    return piece.replace("\u2581", " ")
