"""The summary of an audit, from what the analyses gave."""

from __future__ import annotations

from forensics.auditing.languages import LanguageQuality, ParallelQuality
from forensics.auditing.whole import TokenizerAudit
from forensics.runs.audit.inputs import Opened
from forensics.runs.audit.optional import Asked
from forensics.runs.audit.residue_text import TextResidues
from forensics.runs.tokenizer_facts import role_agreement, special_tokens, tokenizer_facts
from forensics.schema.audit_summary import (
    AuditSummary,
    KindEntry,
    LanguageEntry,
    LanguagesSummary,
    ResiduesSummary,
    VocabularySummary,
)
from forensics.vocabulary.special import special_findings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["audit_summary"]


def audit_summary(
    opened: Opened, vocabulary: Vocabulary, audit: TokenizerAudit, residues: TextResidues | str, asked: Asked
) -> AuditSummary:
    """Return the summary.

    :param opened: The inputs.
    :param vocabulary: The tokenizer's vocabulary.
    :param audit: The default audit.
    :param residues: What merges leave behind, or why there is no such thing.
    :param asked: The optional parts.
    """
    special = special_findings(opened.source, vocabulary)
    reasons = {**audit.not_applicable, **asked.not_applicable}
    if isinstance(residues, str):
        reasons["residues"] = residues
    return AuditSummary(
        kind="audit",
        model=audit.name,
        headline=audit.headline,
        tokenizer=tokenizer_facts(opened.source),
        languages=_languages(audit.languages),
        vocabulary=_vocabulary(audit),
        specials=special_tokens(special),
        role_agreement=role_agreement(special),
        templates=tuple(one.entry for one in audit.templates),
        numbers=audit.numbers,
        dates=audit.dates,
        residues=None if isinstance(residues, str) else _residues(residues),
        optional=asked.parts,
        findings=audit.findings,
        not_applicable=dict(sorted(reasons.items())),
        notes=tuple(opened.source.notes),
        seconds={},
        peak_rss_bytes=0,
    )


def _languages(quality: ParallelQuality) -> LanguagesSummary:
    return LanguagesSummary(
        reference=quality.reference,
        lines=quality.lines,
        median=quality.median_premium,
        highest=quality.highest,
        of={one.language: _language(one) for one in quality.languages},
    )


def _language(one: LanguageQuality) -> LanguageEntry:
    return LanguageEntry(
        premium=one.premium.value,
        interval=one.premium.interval,
        variant=one.premium.variant,
        struck=one.struck,
        words_variant=None if one.words is None else one.words.variant,
        not_applicable=dict(one.not_applicable),
    )


def _vocabulary(audit: TokenizerAudit) -> VocabularySummary:
    kinds = audit.kinds
    return VocabularySummary(
        kinds=tuple(KindEntry(kind, script, count) for (kind, script), count in kinds.counts.items()),
        longest={script: tuple(ids) for script, ids in audit.longest.items()},
        han=kinds.han,
        han_long=kinds.han_long,
        very_long=kinds.very_long,
        gaps=len(audit.gaps),
    )


def _residues(found: TextResidues) -> ResiduesSummary:
    residues = found.residues
    return ResiduesSummary(
        tokens=residues.tokens,
        examined=residues.examined,
        below={f"{level:g}": count for level, count in residues.below.items()},
        never_stay=residues.never_stay,
        vanishing={f"{level:g}": count for level, count in residues.ios_at_least.items()},
        never_created=residues.never_created,
        rate_bound=residues.rate_bound,
        texts=found.texts,
        bytes=found.bytes,
    )
