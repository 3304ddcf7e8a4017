"""`membership`: what its files hold and what it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.columns import Column, TableSchema
from forensics.schema.options import Range, option

__all__ = [
    "EVIDENCE_BELOW", "SCORES", "TEXTS_TABLE", "BlindOrder", "BlindSets", "MembershipOptions",
    "MembershipSummary", "OrderSummary", "ScoreEntry", "SetsSummary", "ShardEntry",
]  # fmt: skip

#: Below this a p-value is called evidence.
EVIDENCE_BELOW = 0.01
#: Score -> what it is; higher means more like a text that was seen.
SCORES: Mapping[str, str] = {
    "loss": "mean log-probability of a token",
    "zlib": "the same over the bytes that zlib needs for the text",
    "min_k": "mean of the lowest fifth of the log-probabilities (Min-K%, arXiv 2310.16789)",
    "min_k_plus": "the same, standardised over the vocabulary (Min-K%++, arXiv 2404.02936)",
    "dc_pdd": "capped mean of probability times surprise by frequency (DC-PDD, arXiv 2409.14781)",
}

#: One row per text, or of an ordered list one per line.
TEXTS_TABLE = TableSchema(
    "texts",
    (
        Column("set", "string", "`texts`, `controls`, `embedded` or `dataset`"),
        Column("index", "int32", "place in its file, from 0; blank lines are not counted"),
        Column("beginning", "string", "the first 120 characters"),
        Column("tokens", "int32", "tokens that were scored; null where the order alone was tested"),
        *(
            Column(name, "double", f"{meaning}; null where none was computed")
            for name, meaning in SCORES.items()
        ),
        Column("blind", "double", "what the blind classifier says, out of fold; null without controls"),
        Column(
            "percentile", "double", "without controls: mean rank among embedded text over the scores, 0 to 1"
        ),
        Column("shard", "int32", "of an ordered list: the shard that the line is in; null for others"),
    ),
    key=("set", "index"),
)


@dataclass(frozen=True)
class MembershipOptions:
    """What `membership` can be asked for."""

    texts: str | None = option(
        None,
        "Texts in question: one a line, or `.jsonl` and `.parquet` with `text`.",
        metavar="FILE",
        path=True,
    )
    controls: str | None = option(
        None, "Texts of the same source that the model cannot have seen.", metavar="FILE", path=True
    )
    dataset: str | None = option(
        None, "A data set in the order in which it was published.", metavar="FILE", path=True
    )
    order: bool = option(
        False, "Ask whether the model prefers the order of `dataset`. You say that any order is as good."
    )
    shards: int = option(
        50, "Stretches of the data set, each tested by itself.", metavar="N", range=Range(2, 1000)
    )
    shuffles: int = option(
        250, "Random orders that each stretch is compared with.", metavar="N", range=Range(4, 10000)
    )
    max_lines: int | None = option(
        None,
        "Only the first so many lines of the data set.",
        metavar="N",
        range=Range(10),
        default_text="all",
    )
    max_tokens: int = option(
        512, "Tokens of a text that are read at most.", metavar="N", range=Range(8, 1_000_000)
    )
    bootstrap: int = option(1000, "Draws for an interval.", metavar="N", range=Range(100, 100_000))
    permutations: int = option(9999, "Draws for a p-value.", metavar="N", range=Range(99, 1_000_000))
    device: str = option("auto", "Where the model runs: cpu, cuda, mps.")
    dtype: str = option("auto", "What it computes in: float32, bfloat16, float16.")
    threads: int | None = option(
        None, "Processor threads.", metavar="N", range=Range(1), moves=False, default_text="all cores"
    )


@dataclass(frozen=True)
class BlindSets:
    """How well the two sets are told apart without the model."""

    auroc: float
    interval: tuple[float, float]
    #: At most this may the lower limit be for a p-value to be given.
    limit: float
    separates: bool


@dataclass(frozen=True)
class ScoreEntry:
    """One score over the two sets."""

    name: str
    meaning: str
    mean_texts: float
    #: None without controls, as all that follows.
    mean_controls: float | None
    auroc: float | None
    interval: tuple[float, float] | None
    #: One-sided, for a higher mean of the texts; None where no conclusion is drawn.
    p: float | None


@dataclass(frozen=True)
class SetsSummary:
    """Texts against controls."""

    texts: int
    controls: int
    #: Tokens scored.
    tokens: int
    scores: tuple[ScoreEntry, ...]
    #: None without controls.
    blind: BlindSets | None
    #: The smallest p times the number of scores; None where no conclusion is drawn.
    p_corrected: float | None
    #: Texts that the percentiles rest on, without controls.
    embedded: int


@dataclass(frozen=True)
class BlindOrder:
    """Whether neighbouring lines are more alike than lines in random order, without the model."""

    similarity: float
    #: The same in random orders, on average.
    shuffled: float
    p: float
    #: Below this the order is no evidence.
    limit: float
    belong_together: bool


@dataclass(frozen=True)
class ShardEntry:
    """One stretch of the data set."""

    first_line: int
    lines: int
    tokens: int
    #: Log-probability in the given order, and mean and standard deviation over random orders, in nats.
    canonical: float
    shuffled_mean: float
    shuffled_sd: float
    #: Random orders that are at least as likely.
    at_least: int


@dataclass(frozen=True)
class OrderSummary:
    """A data set's order."""

    lines: int
    #: Of which repeat another: they make orders equal and cost power.
    repeated: int
    shuffles: int
    blind: BlindOrder
    #: Empty where the order was refused.
    shards: tuple[ShardEntry, ...]
    #: Exact; None where the order was refused. And its logarithm to base ten.
    p: float | None
    log10_p: float | None
    #: Mean over shards of what the given order gains over random ones, in nats.
    gain: float | None


@dataclass(frozen=True)
class MembershipSummary:
    """`summary.json` of `membership`, also written as `membership.json`."""

    kind: str
    #: The name of the model examined.
    model: str
    #: `texts` or `order`.
    mode: str
    sets: SetsSummary | None
    order: OrderSummary | None
    #: What follows, in a sentence that claims no more.
    verdict: str
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
