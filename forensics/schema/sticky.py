"""`sticky`: its options, what its files hold, and the parts of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.columns import VOCABULARY_COLUMNS, Column, TableSchema
from forensics.schema.options import Range, option

__all__ = [
    "STICKY_TABLE",
    "AttentionSummary",
    "BandSummary",
    "CategoryOccurrence",
    "CorporaSummary",
    "DamageEntry",
    "KeptEntry",
    "PairsSummary",
    "PoolingSummary",
    "ProbeSetSummary",
    "RetrievalSummary",
    "ScatterEntry",
    "ScreenSummary",
    "StickyOptions",
    "StickySummary",
    "StickyTokenizer",
]

_SHARED = {column.name: column for column in VOCABULARY_COLUMNS}

#: One row per row of the embedding. Scores keep double precision: shortlists are cut at a percentile, and
#: rounding could move a token across it.
STICKY_TABLE = TableSchema(
    "tokens",
    (
        *(_SHARED[name] for name in ("token_id", "piece", "text", "category")),
        Column("sticky_score", "double", "contraction: the screen's estimate of the effect; std: the score"),
        Column("rank", "int32", "1 = most suspicious; null where not measured"),
        Column("shortlisted", "bool", "measured in full (contraction) or validated (std)"),
        Column("validation", "double", "contraction: effect on the second set; std: validation value"),
        Column("validation_low", "double", "lower end of the validation's 95 % interval"),
        Column("effect", "double", "1 - slope / the ordinary token's slope, on the first set"),
        Column("effect_low", "double", "lower end of the effect's 95 % interval over probes"),
        Column("effect_high", "double", "its upper end"),
        Column("q_value", "double", "false-discovery rate at which the effect counts (Benjamini-Hochberg)"),
        Column("sticky", "bool", "the verdict"),
        Column("slope", "double", "slope of similarities after on before; 1 changes nothing"),
        Column("slope_low", "double", "lower end of the slope's 95 % interval"),
        Column("slope_high", "double", "its upper end"),
        Column("fixed_point", "double", "similarity that the token leaves as it is"),
        Column("shift_below", "double", "mean change of similarities below u"),
        Column("shift_above", "double", "mean change of similarities above u"),
        Column("variance_ratio", "double", "variance of similarities after over before"),
        Column("ndcg_in_queries", "double", "nDCG@10 with the token in the queries"),
        Column("ndcg_in_documents", "double", "nDCG@10 with the token in the document sought"),
        Column("occurrences", "int64", "occurrences in the text given"),
        Column("per_million", "double", "the same per million tokens"),
    ),
    key=("token_id",),
    by_category="per_million:",
)


@dataclass(frozen=True)
class StickyOptions:
    """What `sticky` can be asked for."""

    method: str = option(
        "contraction",
        "contraction: slope of similarities, with error control. std: the published procedure, exactly.",
        choices=("contraction", "std"),
    )
    sentences: tuple[str, ...] = option(
        (),
        "Sentences, one a line; given twice, the second confirms.",
        metavar="FILE",
        multiple=True,
        path=True,
        default_text="embedded English ones",
    )
    pairs: str | None = option(
        None,
        "Columns sentence1,sentence2,similarity, for the method std.",
        metavar="FILE.csv",
        path=True,
    )
    tokens: tuple[int, ...] | None = option(
        None, "Only these; same numbers as in a full run.", metavar="IDS|FILE", ids=True
    )
    insertions: int = option(8, "Copies of a token.", range=Range(1))
    pairs_score: int = option(5, "std: pairs of the score.", range=Range(1))
    pairs_validate: int = option(250, "std: pairs of the validation.", range=Range(1))
    shortlist: float = option(
        2.0,
        "Share that is shortlisted; with contraction at least this.",
        metavar="PERCENT",
        range=Range(0, 100, open_least=True),
    )
    early_stop: bool = option(False, "std: leave tokens that cannot come into the shortlist.")
    minimum_effect: float | None = option(
        None,
        "contraction: the least effect that counts.",
        metavar="SHARE",
        range=Range(0, 1, open_least=True, open_most=True),
        default_text="0.25, or 3 standard deviations of ordinary tokens if that is more",
    )
    ordinary_sample: int = option(
        64, "contraction: random tokens whose median is the ordinary token.", range=Range(3)
    )
    corpora: tuple[str, ...] = option(
        (),
        "Count every token in this text: one file or folder per category, or `demo`.",
        metavar="DIR",
        multiple=True,
        path=True,
    )
    max_bytes: int | None = option(None, "Text read of each category at most.", metavar="N", range=Range(1))
    effects: bool = option(
        True,
        "contraction: try sticky tokens on retrieval, look at their attention.",
        both_ways=True,
    )
    pooling: str | None = option(
        None, "mean, cls, last or max, where the folder does not say.", metavar="MODE"
    )
    device: str = option("auto", "Where the model runs: cpu, cuda, mps.")
    dtype: str = option("auto", "float32, bfloat16, float16.")
    backend: str = option(
        "auto",
        "What runs the model; auto is ONNX Runtime for float32 on a CPU, if installed.",
        choices=("auto", "torch", "onnx"),
    )
    screen_dtype: str = option("auto", "contraction: the same for the screen alone.")
    batch_size: int | None = option(None, "Texts per forward pass.", metavar="N", range=Range(1))
    threads: int | None = option(
        None, "Processor threads.", metavar="N", range=Range(1), moves=False, default_text="all cores"
    )


@dataclass(frozen=True)
class PoolingSummary:
    """How vectors of positions become one."""

    mode: str
    stated_by: str


@dataclass(frozen=True)
class StickyTokenizer:
    """The tokenizer of an embedding model."""

    type: str
    vocab_size: int


@dataclass(frozen=True)
class BandSummary:
    """A band of the screen's values below its bar."""

    low: float
    high: float
    tokens: int
    measured: int
    #: Mean and largest effect of those measured.
    mean: float | None
    largest: float | None
    sticky: int


@dataclass(frozen=True)
class ScreenSummary:
    """How the screen agrees with the full measurement, and what it lets slip."""

    #: Ordinary tokens that both looked at.
    sample: int
    spearman: float | None
    found_below_the_bar: int | None = None
    bands: tuple[BandSummary, ...] = ()
    slipped_by_error: float | None = None
    slipped_by_draws: float | None = None
    expected_missed: float | None = None
    #: One-sided 95 % bound.
    missed_at_most: int | None = None
    recall: float | None = None
    recall_at_least: float | None = None


@dataclass(frozen=True)
class ProbeSetSummary:
    """One set of sentences."""

    name: str
    sentences: int
    probes: int
    screen_probes: int


@dataclass(frozen=True)
class DamageEntry:
    """nDCG@10 with one token."""

    token_id: int
    in_queries: float
    in_documents: float


@dataclass(frozen=True)
class RetrievalSummary:
    """What tokens do to a search."""

    queries: int
    documents: int
    copies: int
    #: nDCG@10 with nothing inserted.
    untouched: float
    ordinary_in_queries: float | None
    ordinary_in_documents: float | None
    ordinary_tokens: tuple[DamageEntry, ...]
    tokens: tuple[DamageEntry, ...]


@dataclass(frozen=True)
class AttentionSummary:
    """Attention that the copies take; `sticky` and `ordinary` are the keys."""

    #: What an even spread over positions would give.
    even_share: float
    token_ids: Mapping[str, tuple[int, ...]]
    #: One list per token: share by layer.
    shares: Mapping[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class ScatterEntry:
    """Similarities before and after of one token, for a plot."""

    kind: str
    token_id: int
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True)
class CategoryOccurrence:
    """One category of the user's text."""

    name: str
    tokens: int
    sticky_per_million: float | None = None


@dataclass(frozen=True)
class CorporaSummary:
    """How often sticky tokens occur in the user's text; None where there is no verdict."""

    tokens: int
    categories: tuple[CategoryOccurrence, ...]
    sticky_occurring: int | None = None
    sticky_per_million: float | None = None


@dataclass(frozen=True)
class PairsSummary:
    """Pairs of `std`."""

    count: int
    least: float
    most: float


@dataclass(frozen=True)
class KeptEntry:
    """Texts of some tokens that still hold the token as often as it was inserted, by where it was put."""

    tokens: int
    prefix: float
    suffix: float
    insertion: float | None = None


@dataclass(frozen=True)
class StickySummary:
    """`summary.json` of `sticky`; what only the other method has is None."""

    kind: str
    #: The name of the model examined.
    model: str
    method: str
    pooling: PoolingSummary
    tokenizer: StickyTokenizer
    backend: str
    insertions: int
    #: Tokens named by the user; None for a run over the vocabulary.
    asked_for: int | None
    #: u: mean similarity of the vocabulary's entries.
    mean_token_similarity: float
    mean_token_similarity_sample: int | None
    #: Tokens that a text can hold.
    available: int
    shortlisted: int | None
    sticky: int | None
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
    # contraction
    found_before_confirmation: int | None = None
    minimum_effect: float | None = None
    #: Which rule set it.
    minimum_effect_from: str | None = None
    false_discovery_rate: float | None = None
    #: On the first and the second set.
    ordinary_slope: tuple[float, ...] | None = None
    ordinary_slope_error: tuple[float, ...] | None = None
    ordinary_sample: int | None = None
    ordinary_spread: float | None = None
    #: `q05`, `median`, `q95`, `q99` of ordinary tokens' effects.
    ordinary_effects: Mapping[str, float] | None = None
    screen: ScreenSummary | None = None
    sets: tuple[ProbeSetSummary, ...] = ()
    retrieval: RetrievalSummary | None = None
    attention: AttentionSummary | None = None
    scatter: tuple[ScatterEntry, ...] = ()
    # std
    score_threshold: float | None = None
    validation_fence: float | None = None
    stopped_early: int | None = None
    score_validation_spearman: float | None = None
    share_beyond_fence: float | None = None
    #: `random`, `validated` -> share of texts that hold a token as often as it was inserted.
    kept_as_inserted: Mapping[str, KeptEntry] | None = None
    pairs: tuple[PairsSummary, ...] = ()
    # text of the user
    corpora: CorporaSummary | None = None
