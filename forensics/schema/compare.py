"""`compare`: what its files hold and what it can be asked for.

The first of the things compared is called A, the others B, C, ...; every other one is compared with A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from forensics.schema.columns import Column, TableSchema
from forensics.schema.options import Range, option
from forensics.schema.tokenizer import TokenizerFacts

__all__ = [
    "FINDINGS_TABLE",
    "MERGES_TABLE",
    "ONLY_A_TABLE",
    "ONLY_B_TABLE",
    "SHARED_TABLE",
    "AddedTokenDifference",
    "CompareOptions",
    "CompareSummary",
    "ComparedInput",
    "FieldDifference",
    "IndependenceTest",
    "LengthEntry",
    "Lineage",
    "OrderSummary",
    "PairSummary",
    "Pairing",
    "PieceCounts",
    "ProbeEntry",
    "Relation",
    "ScanPairSummary",
    "Signals",
    "TemplateDifference",
    "TemplateRelation",
]  # fmt: skip

_OTHER = Column("other", "string", "letter of what is compared with A: `B`, `C`, ...")
_TEXT = (
    Column("text", "string", "the text; null where the bytes are no valid UTF-8 by themselves"),
    Column("bytes", "binary", "the exact bytes"),
    Column("inside_word", "bool", "whether it can only stand inside a word (WordPiece's `##`)"),
)
_STANDING = "of scans: `verified`, `not verified`, `not tested` or `absent` there; null for tokenizers"
#: Pieces that both have, matched by bytes; of scans the tokens of both that at least one verifies.
SHARED_TABLE = TableSchema(
    "shared",
    (
        _OTHER,
        Column("token_id_a", "int32", "id in A; of several with the same bytes the first"),
        Column("token_id_b", "int32", "id in the other"),
        *_TEXT,
        Column("standing_a", "string", _STANDING),
        Column("standing_b", "string", _STANDING),
    ),
    key=("other", "token_id_a"),
)


def _only(name: str, who: str) -> TableSchema:
    columns = (
        _OTHER,
        Column("token_id", "int32", f"id in {who}"),
        *_TEXT,
        Column("standing", "string", _STANDING),
    )
    return TableSchema(name, columns, key=("other", "token_id"))


#: Pieces that A has and the other lacks.
ONLY_A_TABLE = _only("only_a", "A")
#: Pieces that the other has and A lacks.
ONLY_B_TABLE = _only("only_b", "the other")
#: Merges that both have, by bytes.
MERGES_TABLE = TableSchema(
    "merges",
    (
        _OTHER,
        Column("rank_a", "int32", "place in A's list, from 0; repetitions left out"),
        Column("rank_b", "int32", "place in the other's list"),
        Column("left", "binary", "bytes of the left part"),
        Column("right", "binary", "bytes of the right part; empty for pieces ordered by score"),
    ),
    key=("other", "rank_a"),
)
#: What differs, the worst first.
FINDINGS_TABLE = TableSchema(
    "findings",
    (
        _OTHER,
        Column("rule", "string", "which rule found it"),
        Column("level", "string", "`error`, `warning` or `note`"),
        Column("subject", "string", "what it is about, the same in every run"),
        Column("message", "string", "what was found, in a sentence"),
        Column("evidence", "string", "JSON object of the numbers behind it"),
    ),
)


@dataclass(frozen=True)
class CompareOptions:
    """What `compare` can be asked for."""

    parallel: str = option(
        "demo",
        "Parallel text to compare lengths on: a folder with one line-aligned file per language, or `demo`.",
        metavar="DIR",
        path=True,
    )
    layers: int = option(
        2,
        "Layers of which hidden units are paired, where both are checkpoints; 0 leaves this test out.",
        metavar="N",
        range=Range(0, 1000),
    )


@dataclass(frozen=True)
class ComparedInput:
    """One of the things compared."""

    #: `A`, `B`, ...
    letter: str
    name: str
    #: `tokenizer`, `checkpoint` or `scan`.
    what: str
    #: None for a scan.
    tokenizer: TokenizerFacts | None


@dataclass(frozen=True)
class PieceCounts:
    """Ordinary pieces, matched by bytes; added tokens apart."""

    size_a: int
    size_b: int
    shared: int
    only_a: int
    only_b: int
    #: Shared pieces that have one id in both.
    same_id: int


@dataclass(frozen=True)
class OrderSummary:
    """Two ordered lists compared."""

    #: `merges`, or `scores` for pieces by falling score.
    what: str
    size_a: int
    size_b: int
    shared: int
    #: Entries at the beginning that are the same.
    common_prefix: int
    #: Length of the longest common order, and its share of the shared entries (None for none).
    common_order: int
    order_share: float | None
    #: The share that two unrelated orders of so many entries have on average.
    by_chance: float | None


class Relation(StrEnum):
    """How two tokenizers are related."""

    #: The same pieces in the same order of merges.
    IDENTICAL = "identical"
    #: One has all of the other's pieces and its order of merges, and more.
    EXTENDED = "extended"
    #: One order of merges, and pieces of its own on either side.
    COMMON_ANCESTOR = "common ancestor"
    #: Half to nearly all of the shared merges in one order.
    RELATED = "related"
    #: Between the thresholds.
    UNCLEAR = "unclear"
    #: No more common order than strangers have.
    NO_SIGN = "no sign"
    #: No merges to compare, or too few shared.
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class Lineage:
    """The relation of two tokenizers and the sentence that says so."""

    relation: Relation
    sentence: str


@dataclass(frozen=True)
class FieldDifference:
    """A setting that differs."""

    #: Where it stands, e.g. `pre_tokenizer.pretokenizers[0].pattern.Regex` or `role bos`.
    path: str
    #: Its value on either side as JSON text, None where there is none.
    a: str | None
    b: str | None


@dataclass(frozen=True)
class AddedTokenDifference:
    """An added token that one side lacks or has otherwise."""

    content: str
    #: Its id on either side, None where it is no added token.
    id_a: int | None
    id_b: int | None
    #: What differs besides, e.g. `special, lstrip`.
    flags: str = ""


@dataclass(frozen=True)
class LengthEntry:
    """How long one language's lines are in both."""

    language: str
    tokens_a: int
    tokens_b: int
    #: `tokens_b / tokens_a`; None where A gives no tokens at all.
    ratio: float | None
    #: 95 %, over blocks of lines; None where there are too few.
    interval: tuple[float, float] | None
    #: Lines of which the other needs more, and fewer, tokens.
    lines_longer: int
    lines_shorter: int
    #: Tokens against those of the reference language, in A and in the other; None without one.
    premium_a: float | None
    premium_b: float | None
    #: Whether over 10 % of the language is unknown or dropped there, so that its lengths mean nothing.
    struck_a: bool = False
    struck_b: bool = False

    @property
    def struck(self) -> bool:
        """Whether the two cannot be compared on this language."""
        return self.struck_a or self.struck_b

    @property
    def has_premiums(self) -> bool:
        """Whether there are two premiums above 0 that mean something."""
        return bool(self.premium_a and self.premium_b) and not self.struck


@dataclass(frozen=True)
class ProbeEntry:
    """The first text of the fixed set that gives other ids."""

    #: How many texts differ, of how many.
    differing: int
    texts: int
    text: str
    #: The text up to the first different token, and the first ids from there.
    before: str
    ids_a: tuple[int, ...]
    ids_b: tuple[int, ...]


class TemplateRelation(StrEnum):
    """How two templates are related."""

    #: The same text.
    IDENTICAL = "identical"
    #: Another text with the same tree: comments and spaces that Jinja drops.
    COSMETIC = "cosmetic"
    #: Other trees.
    DIFFERENT = "different"
    #: At least one does not parse.
    UNDECIDED = "undecided"
    #: The other has none.
    ONLY_IN_A = "only in A"
    #: A has none.
    ONLY_IN_OTHER = "only in the other"


@dataclass(frozen=True)
class TemplateDifference:
    """In what two chat templates differ; neither is rendered."""

    relation: TemplateRelation
    #: Constant texts that only one of them holds, in order.
    literals_a: tuple[str, ...] = ()
    literals_b: tuple[str, ...] = ()
    #: Variables that only one of them reads.
    variables_a: tuple[str, ...] = ()
    variables_b: tuple[str, ...] = ()
    #: Strings that only one of them holds content against: what a trigger would look like.
    content_a: tuple[str, ...] = ()
    content_b: tuple[str, ...] = ()
    #: Role -> what becomes of its messages, `A / other`, where that differs.
    roles: Mapping[str, str] | None = None
    #: Why it is undecided.
    error: str | None = None


class Pairing(StrEnum):
    """What is paired."""

    COLUMNS = "columns"
    UNITS = "units"
    UNITS_ROBUST = "units_robust"


@dataclass(frozen=True)
class IndependenceTest:
    """One test of whether two checkpoints started independently."""

    test: Pairing
    #: The layers used; empty for the embedding.
    layers: tuple[int, ...]
    #: Spearman's correlation; for several layers their mean. None where it could not be tested.
    statistic: float | None
    #: Logarithm to base 10 of the one-sided p-value; never minus infinity.
    log10_p: float | None
    #: Whether the p-value is exact (up to Student's approximation) under the assumptions.
    exact: bool
    #: Under which the p-value holds.
    assumptions: str
    #: `not independent (p ...)`, `no evidence` or `not testable (why)`.
    verdict: str


@dataclass(frozen=True)
class Signals:
    """Numbers beside the tests, without a verdict: independent models can have any of them."""

    #: Shared tokens whose embedding rows were compared, and those equal bit for bit.
    rows: int
    identical_rows: int
    #: Cosine of all norm layers of equal name and shape, joined; None where there are none.
    norm_cosine: float | None


@dataclass(frozen=True)
class ScanPairSummary:
    """Tokens that two scans verify, matched by bytes."""

    verified_a: int
    verified_b: int
    both: int
    #: Verified in A alone -> by what the other says: `not verified`, `not tested`, `absent`.
    only_a: Mapping[str, int]
    only_b: Mapping[str, int]


@dataclass(frozen=True)
class PairSummary:
    """A and one other."""

    other: str
    pieces: PieceCounts | None = None
    order: OrderSummary | None = None
    lineage: Lineage | None = None
    fields: tuple[FieldDifference, ...] = ()
    added_tokens: tuple[AddedTokenDifference, ...] = ()
    lengths: tuple[LengthEntry, ...] = ()
    probe: ProbeEntry | None = None
    template: TemplateDifference | None = None
    #: `A` or the other's letter, where one is a GGUF file and the other is not; its findings are parity's.
    gguf: str | None = None
    independence: tuple[IndependenceTest, ...] = ()
    signals: Signals | None = None
    scans: ScanPairSummary | None = None


@dataclass(frozen=True)
class CompareSummary:
    """`summary.json` of `compare`, also written as `compare.json`."""

    kind: str
    #: The names of all, A first.
    model: str
    inputs: tuple[ComparedInput, ...]
    #: Every other one against A, in the order given.
    pairs: tuple[PairSummary, ...]
    #: What lengths and premiums were counted on; None for scans.
    lengths_variant: str | None
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
