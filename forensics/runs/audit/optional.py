"""The parts of an audit that are given when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from forensics.auditing.distributions import lengths_against, overlap
from forensics.auditing.languages import ParallelQuality, audit_languages
from forensics.auditing.morphology import morphology_score
from forensics.auditing.premium import Ratio, gini
from forensics.auditing.prune_plan import PrunePlan, prune_plan, word_share
from forensics.auditing.segmentations import compare_segmentations
from forensics.auditing.whole import TokenizerAudit
from forensics.auditing.words import WordVariant, word_quality
from forensics.progress import Progress
from forensics.runs.audit.inputs import Opened
from forensics.runs.audit.residue_text import MOST_BYTES
from forensics.schema.audit import AuditOptions
from forensics.schema.audit_summary import (
    OptionalParts,
    PairsSummary,
    PruneSummary,
    SegmentationDifference,
    WordQuality,
)
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.texts.corpora import read_corpus
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.improbable_pairs import improbable_pairs
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["Asked", "optional_parts"]

#: Examples of pairs that are kept.
_EXAMPLES = 10


@dataclass(frozen=True, eq=False)
class Asked:
    """The optional parts of one audit, as the tables and the summary need them."""

    parts: OptionalParts
    #: Language -> lengths against the other tokenizer, None without one.
    lengths: Mapping[str, Ratio] | None
    plan: PrunePlan | None
    #: Part -> why it does not apply.
    not_applicable: Mapping[str, str]


def optional_parts(
    opened: Opened,
    vocabulary: Vocabulary,
    audit: TokenizerAudit,
    options: AuditOptions,
    seed: int,
    progress: Progress,
) -> Asked:
    """Return what was asked for besides the default audit.

    :param opened: The inputs.
    :param vocabulary: The tokenizer's vocabulary.
    :param audit: The default audit.
    :param options: What is asked for.
    :param seed: Of the pairs that are drawn.
    :param progress: Where to report.
    """
    source, quality = opened.source, audit.languages
    encoder = source.encoder
    reasons: dict[str, str] = {}
    inference: tuple[SegmentationDifference, ...] = ()
    if options.inference:
        if source.model is TokenizerModel.BPE and source.byte_level:
            inference = _inference(opened, quality.reference)
        else:
            reasons["inference"] = f"a {source.model.value} tokenizer that is not byte-level BPE"
    lengths = None
    if opened.other is not None:
        lengths = _lengths(opened, opened.other, quality, progress)
    plan = _plan(opened, vocabulary, quality) if options.prune_plan else None
    parts = OptionalParts(
        gini=gini({one.language: one.line_lengths for one in quality.languages}) if options.gini else None,
        overlap=_overlap(quality) if options.overlap else None,
        reference=None if opened.other is None else opened.other.name,
        inference=inference,
        pairs=_pairs(source, vocabulary, seed) if options.pairs else None,
        morphology=(morphology_score(encoder, vocabulary, opened.morphemes) if opened.morphemes else None),
        words=_words(source, vocabulary, opened.words),
        wordlist=(
            word_share(vocabulary, audit.kinds.begins_word, opened.wordlist) if opened.wordlist else None
        ),
        prune_plan=(
            None
            if plan is None
            else PruneSummary(len(plan.removable), plan.needed_by_merges, plan.tokens, plan.rate_bound)
        ),
    )
    return Asked(parts, lengths, plan, reasons)


def _inference(opened: Opened, reference: str) -> tuple[SegmentationDifference, ...]:
    return compare_segmentations(opened.source, opened.parallel.lines[reference])


def _lengths(
    opened: Opened, other: TokenizerSource, quality: ParallelQuality, progress: Progress
) -> Mapping[str, Ratio]:
    with progress.stage("the other tokenizer"):
        vocabulary = build_vocabulary(other, progress=progress)
    theirs = audit_languages(other, vocabulary, opened.parallel.lines, quality.reference, progress)
    return lengths_against(quality, theirs)


def _overlap(quality: ParallelQuality) -> dict[str, dict[str, float]]:
    names = [one.language for one in quality.languages]
    matrix = overlap(quality).tolist()
    return {name: dict(zip(names, row, strict=True)) for name, row in zip(names, matrix, strict=True)}


def _pairs(source: TokenizerSource, vocabulary: Vocabulary, seed: int) -> PairsSummary:
    pairs = improbable_pairs(vocabulary.bytes, source.encoder, np.random.default_rng(seed))
    return PairsSummary(
        prefixes=pairs.prefixes,
        suffixes=pairs.suffixes,
        compatible=pairs.compatible,
        tried=pairs.tried,
        survived=len(pairs.survived),
        estimate=pairs.estimate,
        mixed_scripts=pairs.mixed_scripts,
        examples=tuple(pair.text for pair in pairs.survived[:_EXAMPLES]),
    )


def _words(
    source: TokenizerSource, vocabulary: Vocabulary, words: Mapping[str, int]
) -> tuple[WordQuality, ...]:
    if not words:
        return ()
    variants = (WordVariant.LEADING_SPACE, WordVariant.BARE)
    found = (word_quality(source.encoder, vocabulary, words, variant) for variant in variants)
    # The variant with the truth about where the words come from.
    return tuple(
        replace(one, variant=f"{one.variant.partition('/')[0]}/words_of_file")
        for one in found
        if one is not None
    )


def _plan(opened: Opened, vocabulary: Vocabulary, quality: ParallelQuality) -> PrunePlan:
    """Return what parallel text and corpora do without."""
    occurs = np.zeros(len(vocabulary), dtype=np.int64)
    for language in quality.languages:
        occurs[language.ids] += language.counts
    for corpus in opened.corpora:
        lines = "".join(read_corpus(corpus, MOST_BYTES)).split("\n")
        for encoding in opened.source.encoder.encode_batch_fast(lines, add_special_tokens=False):
            np.add.at(occurs, encoding.ids, 1)
    return prune_plan(opened.source, vocabulary, np.flatnonzero(occurs).tolist(), int(occurs.sum()))
