"""`scan`: its options, what its files hold, and the parts of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.bigrams import BigramsSummary
from forensics.schema.columns import VOCABULARY_COLUMNS, Column, TableSchema
from forensics.schema.indicators import INDICATORS
from forensics.schema.options import Range, option
from forensics.schema.tokenizer import RoleClaim, SpecialTokenEntry, TokenizerFacts, VocabularyCounts

__all__ = [
    "SCAN_TABLE",
    "ByCountSummary",
    "ClassFloorSummary",
    "ControlsSummary",
    "CountEntry",
    "EmbeddingFacts",
    "EstimateDetails",
    "EstimateSummary",
    "FloorSummary",
    "FrequencyEntry",
    "GeometrySummary",
    "InTextSummary",
    "IndicatorSummary",
    "KinSummary",
    "PastVocabularySummary",
    "RecallSummary",
    "ReferenceKind",
    "ReferenceSummary",
    "RoleCounts",
    "RowsSummary",
    "ScanOptions",
    "ScanSummary",
    "SizesSummary",
    "StratumSummary",
    "ThresholdSummary",
    "VerificationSummary",
    "WitnessesSummary",
]

#: One row per row of the embedding matrix.
SCAN_TABLE = TableSchema(
    "tokens",
    (
        *VOCABULARY_COLUMNS,
        *(Column(each.name, "float", f"{each.meaning}; low means suspicious") for each in INDICATORS),
        Column(
            "top10_cosine",
            "float",
            "mean cosine of the ten nearest rows of the head; high means suspicious; null if not sought",
        ),
        Column("nearest_key", "int32", "the nearest row; null where not sought"),
        Column(
            "letter_strength",
            "float",
            "how strongly the row shows the letters of its text; low means suspicious; null without",
        ),
        Column(
            "fiber_p",
            "float",
            "p of so sharp a change of density around the row, by its exact null; null where not tested",
        ),
        Column(
            "row_problem",
            "string",
            "`nan`, `inf` or `zero` (or as good as zero) for such a row; null for others",
        ),
        Column("duplicate_group", "int32", "number of the group of rows equal bit for bit; null for others"),
        Column("duplicate_size", "int32", "rows in that group; 1 for a row that is like no other"),
        Column("near_duplicate_group", "int32", "the same for rows that are nearly equal"),
        Column("near_duplicate_size", "int32", "rows in that group"),
        Column("is_reference", "bool", "one of the reference tokens"),
        Column("rank", "int32", "1 = most suspicious by the chosen indicator"),
        Column("is_candidate", "bool", "among the share that is verified in any case"),
        Column("role", "string", "why it was put to the model (`words.Role`); null where it was not"),
        Column("max_prob", "float", "highest probability over all prompts; null where not tested"),
        Column(
            "max_prob_is_bound",
            "bool",
            "it left early, rejected, or showed so little that it was settled: `max_prob` is at least this",
        ),
        Column(
            "max_prob_is_upper",
            "bool",
            "a server did not list it among the most probable tokens: `max_prob` is at most this",
        ),
        Column("probe_p", "float", "probability in the first probe; null where it was not put"),
        Column("verdict", "string", "what follows from `max_prob` (`words.Verdict`)"),
        Column("verified_by", "int32", "the token with an identical row that was tested in its place"),
        Column(
            "cleared_by_text",
            "bool",
            "of verified tokens: the model predicts it in ordinary text (true), or does not where the text "
            "has it (false); null where the text does not have it, and for other tokens",
        ),
        Column(
            "emission_max", "float", "highest probability at any position of ordinary text; null without look"
        ),
        Column("evidence", "string", "JSON: per prompt the probabilities and what was generated"),
    ),
    key=("token_id",),
)


@dataclass(frozen=True)
class ScanOptions:
    """What `scan` can be asked for."""

    verify: bool | None = option(
        None,
        "Prompt the model with suspicious tokens.",
        both_ways=True,
        default_text="if it can be run",
    )
    candidates: float = option(
        2.0,
        "The least that is verified; the run goes on down the list until verification dries up.",
        metavar="PERCENT",
        range=Range(0, 100, open_least=True),
    )
    max_candidates: int | None = option(None, "The most that is verified.", metavar="N", range=Range(1))
    audit_sample: int = option(
        100,
        "Random tokens outside the candidates that are verified too: recall and false-alarm floor.",
        metavar="N",
        range=Range(0),
    )
    census: bool = option(
        False,
        "Probe every token of the vocabulary, so that the number of tokens that verify is counted and not "
        "estimated.",
    )
    estimate_tokens: int | None = option(
        None,
        "Random tokens below the candidates that are probed for the estimate.",
        metavar="N",
        range=Range(1),
        default_text="8,000 on a processor, all where that takes minutes",
    )
    corpora: tuple[str, ...] = option(
        (),
        "Ordinary text in which verified tokens are looked at again; one file or folder per category, or "
        "`demo`.",
        metavar="DIR",
        multiple=True,
        path=True,
        default_text="text that comes with the package",
    )
    tokens: tuple[int, ...] | None = option(
        None, "Verify just these, e.g. 177-187,50256.", metavar="IDS|FILE", ids=True
    )
    reference: tuple[int, ...] | None = option(
        None,
        "Tokens known to be untrained, e.g. 177-187,50256.",
        metavar="IDS",
        ids=True,
        default_text="found automatically",
    )
    indicator: str | None = option(
        None, "Main indicator, e.g. eout_cosine.", metavar="NAME", default_text="chosen by the data"
    )
    geometry: bool = option(
        False, "Describe the shape of the embedding matrix, and test the density around rows (`fiber_p`)."
    )
    bigrams: int | None = option(
        None,
        "Have the model copy so many improbable pairs (two tokens that share a character), and as many pairs "
        "of complete tokens to compare with.",
        metavar="N",
        range=Range(1),
        default_text="off",
    )
    device: str = option("auto", "Where the model runs: cpu, cuda, mps.")
    dtype: str = option("auto", "What it computes in: float32, bfloat16, float16.")
    runtime: str = option(
        "transformers",
        "What runs the model: `transformers`, or `llamacpp` for a GGUF file.",
        choices=("transformers", "llamacpp"),
    )
    endpoint: str | None = option(
        None,
        "Ask the model behind this address instead of running it: a server of llama.cpp, vLLM, or another of "
        "OpenAI's completions or chats.",
        metavar="URL",
    )
    endpoint_model: str | None = option(
        None, "The model's name there, if the server has several.", metavar="NAME"
    )
    max_requests: int | None = option(
        None,
        "Most requests to that server; the same command goes on where they were used up.",
        metavar="N",
        range=Range(1),
        moves=False,
    )
    batch_size: int | None = option(None, "Tokens per forward pass.", metavar="N", range=Range(1))
    threads: int | None = option(
        None, "Processor threads.", metavar="N", range=Range(1), moves=False, default_text="all cores"
    )
    trust_remote_code: bool = option(
        False,
        "Let a model run the Python files in its folder. Only for folders you would run yourself.",
    )


@dataclass(frozen=True)
class EmbeddingFacts:
    """The two matrices."""

    shape: tuple[int, ...]
    #: As stored.
    dtype: str
    #: Whether one matrix serves as embedding and unembedding, stored twice or not.
    tied: bool
    #: Whether the head has a bias.
    bias: bool
    in_name: str | None
    out_name: str | None
    #: `tied`, `tied_stored_twice`, `nearly_tied`, `untied` or `no_head`.
    tying: str
    #: How that was established, in a sentence.
    tying_evidence: str


@dataclass(frozen=True)
class PastVocabularySummary:
    """Rows past the tokenizer's vocabulary."""

    rows: int
    #: None where the weights do not settle it.
    can_win_argmax: bool | None
    explanation: str


@dataclass(frozen=True)
class SizesSummary:
    """Three sizes that should agree."""

    config: int | None
    matrix: int
    tokenizer: int
    past_vocabulary: PastVocabularySummary | None = None


@dataclass(frozen=True)
class ReferenceKind:
    """What one kind of evidence contributed to the reference tokens."""

    kind: str
    count: int
    kept: int
    agreement: float | None


@dataclass(frozen=True)
class ReferenceSummary:
    """The reference tokens and how they were found."""

    ids: tuple[int, ...]
    how: tuple[str, ...]
    #: Mean cosine among them, 1 = all the same.
    agreement: float | None
    kinds: tuple[ReferenceKind, ...] = ()
    dropped: tuple[int, ...] = ()
    has_evidence: bool = False


@dataclass(frozen=True)
class ThresholdSummary:
    """Where the values themselves set a tail apart."""

    threshold: float | None
    n_below: int
    explanation: str
    method: str


@dataclass(frozen=True)
class IndicatorSummary:
    """The chosen indicator and its two cuts."""

    name: str
    description: str
    why: str
    #: Indicator -> area under the curve of held-out reference tokens.
    separation: Mapping[str, float]
    mean: float | None
    sd: float | None
    #: Largest value among the candidates.
    threshold: float | None
    #: Share that is verified at least, in percent.
    percent: float
    n_candidates: int
    data_driven: ThresholdSummary
    #: Indicators computed.
    names: tuple[str, ...]


@dataclass(frozen=True)
class WitnessesSummary:
    """What the columns rest on that need no reference tokens."""

    #: For which rows the nearest ones were sought, in a sentence.
    nearest: str
    #: Script -> words that the letter probe was fitted on; and its mean area under the curve per letter,
    #: 0.5 by chance.
    letter_words: Mapping[str, int]
    letter_auc: Mapping[str, float]


@dataclass(frozen=True)
class GeometrySummary:
    """The shape of the embedding matrix; None where there are fewer rows than a number needs."""

    #: Rows that took part, and rows left out: equal to another bit for bit, or without a direction.
    rows: int
    rows_left_out: int
    mean_cosine: float | None
    #: Length of the mean row, in units of the root mean square norm.
    mean_row: float | None
    iso_score: float | None
    participation_ratio: float | None
    #: Directions that hold 90 % of the variance.
    rank_90: int
    partition_ratio: float | None
    #: NC2 of the rows: variation of the centred norms, spread of the centred cosines, the latter at random.
    norm_variation: float | None
    cosine_spread: float | None
    cosine_spread_random: float | None
    #: Intrinsic dimension by three methods.
    two_nn: float | None
    levina_bickel_20: float | None
    levina_bickel_100: float | None
    #: Ratio dimension at neighbours 1, 4, 16 and 64.
    ratio_dimension: tuple[float | None, ...]


@dataclass(frozen=True)
class EstimateSummary:
    """A number with its 95 % interval."""

    value: float | None
    interval: tuple[float | None, float | None]


@dataclass(frozen=True)
class FrequencyEntry:
    """Ordinary tokens of one stretch of ids, and the mean of each measure over them."""

    name: str
    tokens: int
    means: Mapping[str, float | None]


@dataclass(frozen=True)
class CountEntry:
    """Ordinary tokens that occur about as often in a text, and the mean of each measure over them."""

    name: str
    tokens: int
    means: Mapping[str, float | None]
    #: Targets of the stratum that the model was read on, and the mean of their -log p in nats with its 95 %
    #: interval over stretches of text; None where the model was not run.
    targets: int | None = None
    loss: EstimateSummary | None = None


@dataclass(frozen=True)
class ByCountSummary:
    """Tokens by how often they occur in the text of `--corpora`."""

    #: Tokens of text that were counted, and tokens held out of it for the model to be read on.
    text_tokens: int
    held_out: int
    strata: tuple[CountEntry, ...] = ()


@dataclass(frozen=True)
class RowsSummary:
    """Rows with something wrong in them, and rows that are alike."""

    #: `nan`, `inf`, `zero` -> rows.
    problems: Mapping[str, int]
    duplicate_groups: int
    duplicate_rows: int
    near_duplicate_groups: int
    near_duplicate_rows: int


@dataclass(frozen=True)
class FloorSummary:
    """What share of ordinary tokens fails the same prompts."""

    share: float | None
    interval: tuple[float | None, float | None]
    #: Tokens drawn.
    n: int


@dataclass(frozen=True)
class RecallSummary:
    """How much of what verifies the search down the ranking found, and what a fixed cut would have missed."""

    #: Audit tokens.
    sample: int
    verified_outside: EstimateSummary
    #: Share of all tokens that verify which the search found, with its 95 % interval; None where nothing was
    #: probed.
    value: float | None = None
    interval: tuple[float | None, float | None] | None = None
    #: The same without the tokens that ordinary text clears.
    value_cleared_excluded: float | None = None
    interval_cleared_excluded: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class ClassFloorSummary:
    """Verified share of the random tokens of one class."""

    #: `with a letter or digit` or `without`.
    name: str
    tested: int
    verified: int
    share: float | None
    interval: tuple[float | None, float | None]


@dataclass(frozen=True)
class EstimateDetails:
    """How `estimate_total` was found."""

    #: `census`: every token was settled; `two-phase`: a random sample was probed and what the probes left
    #: open verified; `uniform`: random tokens were put to the prompts.
    method: str
    #: Tokens probed, and how many of them each probe left open.
    probed: int = 0
    probes: tuple[str, ...] = ()
    open_after: tuple[int, ...] = ()
    #: Tokens of the sample that verify, and what the sample stands for.
    verified_in_sample: int = 0
    sampled: int = 0
    rest: int = 0
    #: Verified tokens of ranking and sample that ordinary text clears; None where it was not looked at.
    cleared_by_text: int | None = None
    #: How many tokens verify in all without those.
    total_cleared_excluded: float | None = None
    interval_cleared_excluded: tuple[float | None, float | None] | None = None
    #: At most so many tokens (95 %, one-sided) that a probe shows would have verified by the prompts alone;
    #: it rests on so many tokens that were put to both.
    missed_above_threshold_upper: float | None = None
    checked_above_threshold: int = 0
    #: False alarms by class: the share of random tokens that verify.
    floors: tuple[ClassFloorSummary, ...] = ()


@dataclass(frozen=True)
class InTextSummary:
    """What ordinary text says of the verified tokens."""

    #: The model predicts them there: the prompts failed, not the training.
    cleared: int
    #: They occur, and the model does not expect them there either.
    fails: int
    #: They do not occur in the text tried, and are expected nowhere in it.
    absent: int
    #: Tokens of text looked through, and positions at which every token's probability was read.
    text_tokens: int
    positions: int


@dataclass(frozen=True)
class KinSummary:
    """Groups of tokens with nearly the same rows, of which some were read to the end for all."""

    groups: int
    #: Tokens of the groups that were put to every prompt, and how many of them were not verified strongly.
    read: int
    shown: int
    #: 95 % interval of that share.
    interval: tuple[float | None, float | None]
    #: Tokens that were settled by the others, the probes and one step of the first prompt.
    spoken_for: int


@dataclass(frozen=True)
class ControlsSummary:
    """Whether the model repeats well-trained tokens."""

    tested: int
    passed: int
    share: float | None


@dataclass(frozen=True)
class StratumSummary:
    """A stretch of the ranking below the stop of which a random sample was verified."""

    size: int
    tested: int
    verified: int


@dataclass(frozen=True)
class RoleCounts:
    """How many tokens of one role were tested and verified."""

    tested: int
    verified: int


@dataclass(frozen=True)
class VerificationSummary:
    """What prompting showed; of a run without it only `skipped` says something."""

    #: Tokens put to the model, controls left out.
    tested: int = 0
    #: Of these verified, strongly or weakly.
    verified: int = 0
    strong: int = 0
    weak: int = 0
    inconclusive: int = 0
    rejected: int = 0
    not_encodable: int = 0
    #: Further rows identical to a verified one.
    same_rows_as_verified: int = 0
    #: Of the verified those that ordinary text does not clear: what to act on. None where it was not tried.
    unknown_in_text: int | None = None
    in_text: InTextSummary | None = None
    #: How many ordinary tokens would verify in all, with the 95 % interval.
    estimate_total: float | None = None
    interval: tuple[float | None, float | None] | None = None
    estimate: EstimateDetails | None = None
    expected_false_alarms: EstimateSummary | None = None
    false_alarm_floor: FloorSummary | None = None
    recall: RecallSummary | None = None
    controls: ControlsSummary | None = None
    #: None where no token was settled by others with nearly the same rows.
    kin: KinSummary | None = None
    #: Tokens from the top of the ranking that were all verified.
    searched: int = 0
    #: Why it were not more, in a sentence and in a word.
    stopped: str | None = None
    stopped_by: str | None = None
    last_window: EstimateSummary | None = None
    strata: tuple[StratumSummary, ...] = ()
    #: Role -> counts.
    by_role: Mapping[str, RoleCounts] | None = None
    #: Role -> tokens left out because their group is large.
    left_out: Mapping[str, int] | None = None
    #: Tokens that the three prompts of the source alone would verify.
    by_source_prompts: int | None = None
    #: Prompt -> its text, with a mark for the token under test.
    prompts: Mapping[str, str] | None = None
    #: Whether too few controls passed for the verdicts to mean anything.
    prompts_unsuitable: bool = False
    #: Why there was no verification, or None.
    skipped: str | None = None
    #: How a served model was asked (`words.Interface`); None where it was run here.
    interface: str | None = None


@dataclass(frozen=True)
class ScanSummary:
    """`summary.json` of `scan`."""

    kind: str
    #: The name of the model examined.
    model: str
    tokenizer: TokenizerFacts
    embedding: EmbeddingFacts
    counts: VocabularyCounts
    sizes: SizesSummary
    reference: ReferenceSummary
    indicator: IndicatorSummary
    rows: RowsSummary
    verification: VerificationSummary
    special_tokens: tuple[SpecialTokenEntry, ...]
    role_agreement: Mapping[str, RoleClaim]
    notes: tuple[str, ...]
    #: Stage -> seconds.
    seconds: Mapping[str, float]
    peak_rss_bytes: int
    witnesses: WitnessesSummary | None = None
    #: Only where it was asked for.
    geometry: GeometrySummary | None = None
    #: Tenths of the ordinary tokens in the order of their ids, which is that of their frequency under BPE.
    by_frequency: tuple[FrequencyEntry, ...] = ()
    #: Only where the user gave a text.
    by_count: ByCountSummary | None = None
    #: Only where it was asked for.
    bigrams: BigramsSummary | None = None
