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

__all__ = ["TOKENS_TABLE", "TokensOptions", "TokensSummary"]

#: One row per id.
TOKENS_TABLE = TableSchema("tokens", VOCABULARY_COLUMNS, key=("token_id",))


@dataclass(frozen=True)
class TokensOptions:
    """`tokens` has no options of its own."""


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
