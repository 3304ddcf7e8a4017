"""The summary of an audit, from what the analyses gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from forensics.audit.languages import LanguageQuality, ParallelQuality
from forensics.audit.template import TemplateAudit
from forensics.audit.whole import TokenizerAudit
from forensics.runs.audit.inputs import Opened
from forensics.runs.audit.optional import Asked
from forensics.runs.audit.residue_text import TextResidues
from forensics.runs.tokenizer_facts import role_agreement, special_tokens, tokenizer_facts
from forensics.schema.audit_summary import (
    AuditSummary,
    ConstructEntry,
    DatesEntry,
    KindEntry,
    LanguageEntry,
    LanguagesSummary,
    NumbersEntry,
    ResiduesSummary,
    TemplateEntry,
    VocabularySummary,
)
from forensics.sources.tokenizer_files.chat_templates import ChatTemplate
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
        templates=_templates(opened.templates, audit.templates),
        numbers=tuple(NumbersEntry(**asdict(one)) for one in audit.numbers),
        dates=tuple(DatesEntry(**asdict(one)) for one in audit.dates),
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
        words_variant=None if one.words is None else one.words.variant.value,
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


def _templates(texts: Sequence[ChatTemplate], audits: Sequence[TemplateAudit]) -> tuple[TemplateEntry, ...]:
    return tuple(
        TemplateEntry(
            name=one.name,
            file=one.file,
            line=text.line,
            characters=one.characters,
            error=one.error,
            roles={role: fate.value for role, fate in one.roles.items()},
            reads_generation_prompt=one.reads_generation_prompt,
            variables=one.variables,
            special_tokens=one.special_tokens,
            constructs=tuple(ConstructEntry(each.rule, each.line, each.text) for each in one.constructs),
        )
        for text, one in zip(texts, audits, strict=True)
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
