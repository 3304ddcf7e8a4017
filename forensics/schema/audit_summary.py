"""`audit`: the records of its `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from forensics.schema.finding import Finding
from forensics.schema.tokenizer import RoleClaim, SpecialTokenEntry, TokenizerFacts

__all__ = [
    "AuditSummary",
    "Construct",
    "DateCuts",
    "KindEntry",
    "LanguageEntry",
    "LanguagesSummary",
    "MorphologyScore",
    "NumberCuts",
    "OptionalParts",
    "PairsSummary",
    "PruneSummary",
    "ResiduesSummary",
    "SegmentationDifference",
    "TemplateEntry",
    "VocabularySummary",
    "WordQuality",
    "WordShare",
]


class Fate(StrEnum):
    """What becomes of the messages of a role."""

    #: Some branch writes their content.
    WRITTEN = "written"
    #: No branch writes it, and one raises an error.
    REJECTED = "rejected"
    #: Neither.
    DROPPED = "dropped"


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
class Construct:
    """A place of a template that a rule speaks of."""

    rule: str
    #: Its line in the template.
    line: int
    #: What stands there, shortened.
    text: str


@dataclass(frozen=True)
class TemplateEntry:
    """What one chat template does."""

    #: `default` or its name, and the file that holds it.
    name: str
    file: str
    #: Where in the file it begins.
    line: int
    characters: int
    #: Why it does not parse; then the rest is empty.
    error: str | None = None
    #: Role -> what becomes of its messages.
    roles: Mapping[str, Fate] = field(default_factory=dict)
    #: Whether `add_generation_prompt` is read.
    reads_generation_prompt: bool = False
    #: Variables that it reads and does not set, sorted.
    variables: tuple[str, ...] = ()
    #: Special tokens of this tokenizer that it writes, sorted.
    special_tokens: tuple[str, ...] = ()
    constructs: tuple[Construct, ...] = ()


@dataclass(frozen=True)
class NumberCuts:
    """How numbers of one length are cut."""

    #: Digits per number, and numbers tried.
    digits: int
    numbers: int
    #: Tokens per number, a token that reaches over the guard counted.
    tokens: float
    #: Different ways of cutting, and the commonest: lengths of the parts, e.g. `3-3-1`, with their shares.
    patterns: int
    commonest: tuple[tuple[str, float], ...]
    #: Share cut in threes from the left, from the right, and into single digits.
    threes_from_left: float
    threes_from_right: float
    single_digits: float


@dataclass(frozen=True)
class DateCuts:
    """How dates in one format are cut."""

    #: The format, as its example of 12 March 2025.
    format: str
    dates: int
    #: Tokens per date.
    tokens: float
    #: Share of years, months and days that are one token each, a space in front allowed.
    whole: float
    #: Share of years, months and days that share a token with something else.
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
class SegmentationDifference:
    """Another way of cutting against the tokenizer's own."""

    method: str
    #: Pre-tokens, by occurrence.
    words: int
    #: Share of them that are cut otherwise.
    differ: float
    #: Tokens over those of the tokenizer's own way.
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
class MorphologyScore:
    """Boundaries of tokens against those of morphemes."""

    #: Words judged, and words left out because they are one token.
    words: int
    single_token: int
    #: Shares of token boundaries that are morpheme boundaries, of morpheme boundaries that are token
    #: boundaries, and their harmonic mean; None where there is nothing to divide by.
    precision: float | None
    recall: float | None
    f1: float | None
    #: Expected F1 of random cuts, as many in every word as the tokenizer makes.
    chance_f1: float | None
    variant: str


@dataclass(frozen=True)
class WordQuality:
    """What words cost."""

    #: Words that were counted.
    words: int
    #: Tokens per word.
    fertility: float
    #: Share of words with two or more tokens.
    continued: float
    #: Share of words that are exactly one token (STRR).
    single_token: float
    #: Fertility of distinct words, each counted once; None for words in context.
    fertility_of_types: float | None
    #: Where the words come from and how they were shown to the tokenizer.
    variant: str


@dataclass(frozen=True)
class WordShare:
    """How much of a vocabulary is words of a list."""

    #: Ordinary pieces of two or more letters, and how many of them are in the list.
    pieces: int
    words: int
    #: Words of the list, and how many are a piece that begins a word.
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
    inference: tuple[SegmentationDifference, ...] = ()
    pairs: PairsSummary | None = None
    morphology: MorphologyScore | None = None
    #: With a space in front, and bare.
    words: tuple[WordQuality, ...] = ()
    wordlist: WordShare | None = None
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
    numbers: tuple[NumberCuts, ...]
    dates: tuple[DateCuts, ...]
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
