"""What every summary says about a tokenizer and its special tokens, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forensics.schema.tokenizer import RoleClaim, SpecialTokenEntry, TokenizerFacts, VocabularyCounts
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.special import SpecialFindings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["role_agreement", "special_tokens", "tokenizer_facts", "vocabulary_counts"]


def tokenizer_facts(source: TokenizerSource) -> TokenizerFacts:
    """Return a tokenizer in a few numbers."""
    return TokenizerFacts(
        name=source.name,
        format=source.format,
        type=source.model.value,
        vocab_size=len(source.pieces),
        byte_level=source.byte_level,
        byte_fallback=source.byte_fallback,
        pretokenizer=source.pretokenizer_origin,
        merges=len(source.merges),
        added_tokens=len(source.added_tokens),
    )


def vocabulary_counts(vocabulary: Vocabulary) -> VocabularyCounts:
    """Return the tokens per category."""
    return VocabularyCounts(**vocabulary.counts())


def special_tokens(
    found: SpecialFindings, trained: Mapping[int, str] | None = None
) -> tuple[SpecialTokenEntry, ...]:
    """Return the special tokens.

    :param trained: Token id -> verdict of those that were put to a model.
    """
    verdicts = trained or {}
    return tuple(replace(token, trained=verdicts.get(token.token_id)) for token in found.tokens)


def role_agreement(found: SpecialFindings) -> dict[str, RoleClaim]:
    """Return role -> what every file says about it."""
    return {
        claims.role: {
            **{file: ids[0] if len(ids) == 1 else list(ids) for file, ids in claims.claims.items()},
            "agree": claims.agree,
        }
        for claims in found.roles
    }
