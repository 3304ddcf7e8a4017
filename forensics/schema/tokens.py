"""`tokens`: what its files hold and what it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.columns import VOCABULARY_COLUMNS, TableSchema
from forensics.schema.tokenizer import (
    MergesSummary,
    RoleClaim,
    SpecialTokenEntry,
    TokenizerFacts,
    VocabularyCounts,
)

__all__ = ["TOKENS_TABLE", "ImprobablePairsSummary", "TokensOptions", "TokensSummary"]

#: One row per id.
TOKENS_TABLE = TableSchema("tokens", VOCABULARY_COLUMNS, key=("token_id",))


@dataclass(frozen=True)
class TokensOptions:
    """`tokens` has no options of its own."""


@dataclass(frozen=True)
class ImprobablePairsSummary:
    """Pairs of tokens that share one character (arXiv 2410.23684): a fact on the vocabulary, no verdict."""

    #: Tokens that end in an unfinished character, and tokens that begin with its rest.
    prefixes: int
    suffixes: int
    #: Pairs whose bytes fit together.
    compatible: int
    #: How many of them were encoded, and how many came back as the same two tokens.
    tried: int
    survived: int
    #: How many survive in all; exact where all were tried.
    estimate: int
    exact: bool
    #: Share of the survivors that mix scripts; None without any.
    mixed_scripts: float | None
    #: Texts of some of them.
    examples: tuple[str, ...]


@dataclass(frozen=True)
class TokensSummary:
    """`summary.json` of `tokens`."""

    kind: str
    #: The name of the tokenizer examined.
    model: str
    tokenizer: TokenizerFacts
    counts: VocabularyCounts
    merges: MergesSummary
    special_tokens: tuple[SpecialTokenEntry, ...]
    #: Role (`bos`, `eos`, ...) -> what every file says about it.
    role_agreement: Mapping[str, RoleClaim]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
    #: None where the tokenizer is not byte-level.
    improbable_pairs: ImprobablePairsSummary | None = None
