"""`audit`: the records of its `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.finding import Finding
from forensics.schema.tokenizer import RoleClaim, SpecialTokenEntry, TokenizerFacts

__all__ = [
    "AuditSummary",
    "ConstructEntry",
    "DatesEntry",
    "KindEntry",
    "LanguageEntry",
    "LanguagesSummary",
    "MorphologySummary",
    "NumbersEntry",
    "OptionalParts",
    "PairsSummary",
    "PruneSummary",
    "ResiduesSummary",
    "SegmentationEntry",
    "TemplateEntry",
    "VocabularySummary",
    "WordShareSummary",
    "WordsSummary",
]


@dataclass(frozen=True)
class LanguageEntry:
    """What one language costs; the table `languages` has the rest."""

    premium: float
    #: 95 % interval, None for too few lines.
    interval: tuple[float, float] | None
    #: How the premium was computed; figures of other variants are not to be compared with it.
    variant: str
    #: Whether unknown or dropped text makes it meaningless.
    struck: bool
    #: How words were shown to the tokenizer; None for scripts without spaces.
    words_variant: str | None
    #: Metric -> why this language has none.
    not_applicable: Mapping[str, str]


@dataclass(frozen=True)
class LanguagesSummary:
    """The parallel text in this tokenizer."""

    reference: str
    #: Lines per language.
    lines: int
    #: Of the other languages' premiums, struck ones left out; None if none is left.
    median: float | None
    highest: str | None
    #: The dearest first.
    of: Mapping[str, LanguageEntry]


@dataclass(frozen=True)
class KindEntry:
    """Ids of one kind and script."""

    kind: str
    script: str
    count: int


@dataclass(frozen=True)
class VocabularySummary:
    """What the vocabulary is made of."""

    #: The most numerous first.
    kinds: tuple[KindEntry, ...]
    #: Script -> ids of its longest pieces.
    longest: Mapping[str, tuple[int, ...]]
    #: Ordinary pieces of Han characters, those above two characters, and pieces above 64 characters.
    han: int
    han_long: int
    very_long: int
    #: Ids without a piece below the largest.
    gaps: int


@dataclass(frozen=True)
class ConstructEntry:
    """A place of a template that a rule speaks of."""

    rule: str
    line: int
    text: str


@dataclass(frozen=True)
class TemplateEntry:
    """What one chat template does."""

    name: str
    file: str
    #: Where in the file it begins.
    line: int
    characters: int
    #: Why it does not parse; then the rest is empty.
    error: str | None
    #: Role -> `written`, `rejected` or `dropped`.
    roles: Mapping[str, str]
    reads_generation_prompt: bool
    variables: tuple[str, ...]
    special_tokens: tuple[str, ...]
    constructs: tuple[ConstructEntry, ...]


@dataclass(frozen=True)
class NumbersEntry:
    """How numbers of one length are cut; `auditing.numbers.NumberCuts` has the meanings."""

    digits: int
    numbers: int
    tokens: float
    patterns: int
    commonest: tuple[tuple[str, float], ...]
    threes_from_left: float
    threes_from_right: float
    single_digits: float


@dataclass(frozen=True)
class DatesEntry:
    """How dates in one format are cut; `auditing.numbers.DateCuts` has the meanings."""

    format: str
    dates: int
    tokens: float
    whole: float
    crossed: float


@dataclass(frozen=True)
class ResiduesSummary:
    """Tokens that merges make and use up again."""

    #: Tokens of the text.
    tokens: int
    #: Pieces made at least 50 times; of these R below each level, and exactly 0.
    examined: int
    below: Mapping[str, int]
    never_stay: int
    #: Of the same pieces, those of which one merge uses up at least this share.
    vanishing: Mapping[str, int]
    #: Pieces never made, and the 95 % upper limit of how often such a one occurs per token.
    never_created: int
    rate_bound: float
    #: Categories of text, and the bytes read.
    texts: int
    bytes: int


@dataclass(frozen=True)
class SegmentationEntry:
    """Another way of cutting text into the same pieces, on the reference language."""

    method: str
    #: Pre-tokens, share of them that are cut otherwise, and tokens over those of the tokenizer's own way.
    words: int
    differ: float
    tokens: float


@dataclass(frozen=True)
class PairsSummary:
    """Pairs of incomplete tokens that share a character and survive encoding."""

    prefixes: int
    suffixes: int
    compatible: int
    tried: int
    survived: int
    estimate: int
    #: Share of the survivors that mix scripts; None without any.
    mixed_scripts: float | None
    examples: tuple[str, ...]


@dataclass(frozen=True)
class MorphologySummary:
    """Token boundaries against those of morphemes; `auditing.morphology.MorphologyScore` has the meanings."""

    words: int
    single_token: int
    precision: float | None
    recall: float | None
    f1: float | None
    chance_f1: float | None
    variant: str


@dataclass(frozen=True)
class WordsSummary:
    """What the user's words cost."""

    words: int
    fertility: float
    continued: float
    single_token: float
    fertility_of_types: float | None
    variant: str


@dataclass(frozen=True)
class WordShareSummary:
    """How much of the vocabulary is in the user's list of words."""

    pieces: int
    words: int
    listed: int
    covered: int


@dataclass(frozen=True)
class PruneSummary:
    """What a smaller vocabulary for the same text could leave out."""

    removable: int
    needed_by_merges: int
    tokens: int
    rate_bound: float


@dataclass(frozen=True)
class OptionalParts:
    """What was asked for besides; None or empty where it was not."""

    gini: float | None = None
    #: Language -> other language -> Jensen-Shannon divergence in bits.
    overlap: Mapping[str, Mapping[str, float]] | None = None
    #: The name of the tokenizer that lengths are given against.
    reference: str | None = None
    inference: tuple[SegmentationEntry, ...] = ()
    pairs: PairsSummary | None = None
    morphology: MorphologySummary | None = None
    #: With a space in front, and bare.
    words: tuple[WordsSummary, ...] = ()
    wordlist: WordShareSummary | None = None
    prune_plan: PruneSummary | None = None


@dataclass(frozen=True)
class AuditSummary:
    """`summary.json` of `audit`; `audit.json` is the same without time and memory."""

    kind: str
    #: The name of the tokenizer examined.
    model: str
    headline: str
    tokenizer: TokenizerFacts
    languages: LanguagesSummary
    vocabulary: VocabularySummary
    specials: tuple[SpecialTokenEntry, ...]
    #: Role (`bos`, `eos`, ...) -> what every file says about it.
    role_agreement: Mapping[str, RoleClaim]
    templates: tuple[TemplateEntry, ...]
    numbers: tuple[NumbersEntry, ...]
    dates: tuple[DatesEntry, ...]
    #: None where there are no merges.
    residues: ResiduesSummary | None
    optional: OptionalParts
    #: The worst first.
    findings: tuple[Finding, ...]
    #: Part -> why it does not apply.
    not_applicable: Mapping[str, str]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
