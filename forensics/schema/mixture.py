"""`mixture`: its options, what its files hold, and the parts of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.columns import Column, TableSchema
from forensics.schema.options import Range, option

__all__ = [
    "MERGES_TABLE",
    "AsideSummary",
    "MergeExample",
    "MixtureOptions",
    "MixtureSummary",
    "MixtureTokenizer",
    "RivalEntry",
    "SplittingSummary",
    "TextSummary",
    "UnexplainedMerge",
    "UnmadeSummary",
    "ViolationSummary",
]

#: One row per merge in the fit.
MERGES_TABLE = TableSchema(
    "merges",
    (
        Column(
            "step", "int64", "place in the merge list, from 0; rank of the piece where there are no merges"
        ),
        Column(
            "left",
            "string",
            "the left part (or the piece) as text; as spelt in the vocabulary where it is none",
        ),
        Column("right", "string", "the right part; empty where there are no merges"),
        Column("count_per_byte", "double", "count of the pair in the estimated mixture"),
        Column("curve_per_byte", "double", "the decreasing curve there"),
    ),
)


@dataclass(frozen=True)
class MixtureOptions:
    """What `mixture` can be asked for."""

    corpora: tuple[str, ...] = option(
        (),
        "One file or folder per category, or `demo`; of several DIRs each is a group.",
        metavar="DIR",
        multiple=True,
        path=True,
    )
    method: str = option(
        "curve", "One decreasing curve, or the source's linear program.", choices=("curve", "lp")
    )
    compare: bool = option(False, "Use both methods and warn where they disagree.")
    merges: int | None = option(
        None,
        "Merges used.",
        metavar="N",
        range=Range(1),
        default_text="as many as the text supports, 30,000 at most",
    )
    skip_merges: int = option(
        0, "Apply the first N merges without explaining them.", metavar="N", range=Range(0)
    )
    after: str | None = option(
        None, "Explain only what was learned on top of TOKENIZER's merges.", metavar="TOKENIZER", path=True
    )
    max_bytes: int | None = option(None, "Text read of each category at most.", metavar="N", range=Range(1))
    denominator: str = option(
        "bytes", "Unit inside the inference; shares are of bytes.", choices=("bytes", "pairs")
    )
    solver: str = option("highs", "Solver of the linear program, any that PuLP knows.", metavar="NAME")
    write_lp: str | None = option(
        None, "Write the linear program (.lp or .mps).", metavar="FILE", moves=False, path=True
    )
    bootstrap: int = option(0, "Train N simulated tokenizers for the intervals.", metavar="N", range=Range(0))
    pretokenizer: str | None = option(
        None, "Cut text by a known rule in place of the tokenizer's own.", metavar="NAME"
    )
    baselines: bool = option(False, "Give the source's two baselines too.")
    cache: str | None = option(None, "Keep the counts of text here.", metavar="DIR", moves=False, path=True)
    jobs: int = option(1, "Processes.", metavar="N", moves=False)
    dask: str | None = option(None, "Count on a Dask cluster.", metavar="ADDRESS", moves=False)


@dataclass(frozen=True)
class MixtureTokenizer:
    """The tokenizer."""

    name: str
    format: str


@dataclass(frozen=True)
class SplittingSummary:
    """How text was cut."""

    origin: str
    #: `lines` or `documents`.
    unit: str


@dataclass(frozen=True)
class MergeExample:
    """One merge."""

    step: int
    pair: tuple[str, ...]


@dataclass(frozen=True)
class AsideSummary:
    """Merges of one kind that are applied and not explained."""

    count: int
    examples: tuple[MergeExample, ...]


@dataclass(frozen=True)
class UnmadeSummary:
    """Tokens that no merge makes."""

    declared: int
    undeclared: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ViolationSummary:
    """How far the merges fall short of the curve."""

    #: Share of the expected counts that is missing.
    total: float
    per_merge_mean: float
    #: Only with `lp`.
    lp_slack: float | None
    lp_gap: float | None


@dataclass(frozen=True)
class RivalEntry:
    """A pair that should have won."""

    pair: tuple[str, ...]
    #: Its count over the expected one.
    ratio: float


@dataclass(frozen=True)
class UnexplainedMerge:
    """A merge that no mixture of the categories explains."""

    step: int
    pair: tuple[str, ...]
    ratio: float
    should_have_won: tuple[RivalEntry, ...]


@dataclass(frozen=True)
class TextSummary:
    """How much text there was of one category."""

    bytes: int
    pretokens: int
    distinct_pretokens: int
    dropped_rare: int
    cut_in_chunks: int


@dataclass(frozen=True)
class MixtureSummary:
    """`mixture.json`, which is also `summary.json`."""

    kind: str
    #: The name of the tokenizer examined.
    model: str
    tokenizer: MixtureTokenizer
    splitting: SplittingSummary
    method: str
    #: Whether there is no doubt.
    reliable: bool
    doubts: tuple[str, ...]
    #: Category -> share of bytes, sums to 1.
    proportions: Mapping[str, float]
    #: Category -> nominal 95 % interval.
    interval: Mapping[str, tuple[float, float]] | None
    bootstrap: int
    groups: Mapping[str, float]
    #: Category -> share by the other method.
    other_method: Mapping[str, float] | None
    merges_total: int
    #: Reason -> merges left out.
    merges_dropped: Mapping[str, int]
    #: `by_hand`, `unformable`.
    merges_aside: Mapping[str, AsideSummary]
    tokens_without_merge: UnmadeSummary
    duplicate_pieces: int
    merges_skipped: int
    merges_used: int
    missing_merges: int
    missing_examples: tuple[tuple[str, ...], ...]
    least_expected_count: float
    violation: ViolationSummary
    early_late_disagreement: float
    unexplained: tuple[UnexplainedMerge, ...]
    #: `tee`, `tc` -> category -> share.
    baselines: Mapping[str, Mapping[str, float]] | None
    notes: tuple[str, ...]
    text: Mapping[str, TextSummary]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
    #: Category -> documents dealt out for the intervals: as many of equal size as would count as much.
    documents: Mapping[str, float] | None = None
    #: Group -> nominal 95 % interval.
    group_interval: Mapping[str, tuple[float, float]] | None = None
