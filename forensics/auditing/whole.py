"""The whole audit of one tokenizer: every default part, its findings, and what they come to in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.auditing.integrity import integrity_findings
from forensics.auditing.kinds import VocabularyKinds, id_gaps, longest_pieces, vocabulary_kinds
from forensics.auditing.languages import REFERENCE, ParallelQuality, audit_languages
from forensics.auditing.numbers import cut_dates, cut_numbers
from forensics.auditing.specials import special_token_findings
from forensics.auditing.template import TemplateAudit, audit_template, copies_differ
from forensics.progress import Progress
from forensics.schema.audit_summary import DateCuts, NumberCuts
from forensics.schema.finding import Finding, Level, sorted_findings
from forensics.schema.languages import language_name
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.chat_templates import ChatTemplate
from forensics.vocabulary.merge_list import MergeList
from forensics.vocabulary.merges import merge_problems
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["TokenizerAudit", "audit_tokenizer", "headline"]

#: Named in the headline if they are there: one that Latin script helps, one that it does not.
_TOLD = ("deu_Latn", "hin_Deva")


@dataclass(frozen=True, eq=False)
class TokenizerAudit:
    """What the audit says of one tokenizer."""

    name: str
    languages: ParallelQuality
    kinds: VocabularyKinds
    #: Script -> ids of its longest ordinary pieces.
    longest: Mapping[str, Sequence[int]]
    gaps: tuple[int, ...]
    numbers: tuple[NumberCuts, ...]
    dates: tuple[DateCuts, ...]
    templates: tuple[TemplateAudit, ...]
    #: The worst first.
    findings: tuple[Finding, ...]
    #: Part -> why it does not apply.
    not_applicable: Mapping[str, str]

    @property
    def headline(self) -> str:
        """The result in one sentence, and how many findings there are."""
        return f"{headline(self.name, self.languages)} {_counted(self.findings)}"


def audit_tokenizer(
    source: TokenizerSource,
    vocabulary: Vocabulary,
    parallel: Mapping[str, Sequence[str]],
    templates: Sequence[ChatTemplate] = (),
    *,
    merges: MergeList | None = None,
    reference: str = REFERENCE,
    seed: int = 0,
    progress: Progress | None = None,
) -> TokenizerAudit:
    """Return the default audit of a tokenizer, residues apart, which need other text.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    :param parallel: Language -> its lines, the same number for all.
    :param templates: Every chat template of its files.
    :param merges: What `read_merge_list` says of the tokenizer, if the caller has that already.
    :param reference: The language that premiums refer to.
    :param seed: Of the numbers and dates drawn.
    :param progress: Where to report to.
    """
    progress = progress or Progress()
    languages = audit_languages(source, vocabulary, parallel, reference, progress)
    with progress.stage("checking the vocabulary"):
        kinds = vocabulary_kinds(source, vocabulary)
        longest = longest_pieces(vocabulary, kinds)
        problems = merge_problems(source, vocabulary, merges)
        findings = [*integrity_findings(source, vocabulary, problems)]
        findings += special_token_findings(source, vocabulary)
    with progress.stage("cutting numbers and dates"):
        numbers = cut_numbers(source.encoder, seed=seed)
        dates = cut_dates(source.encoder, seed=seed)
    special = {token.content for token in source.added_tokens}
    audited = tuple(audit_template(one.text, special, one.name, one.file, one.line) for one in templates)
    findings += [finding for one in audited for finding in one.findings]
    findings += copies_differ({one.file: one.text for one in templates if one.name == "default"})
    return TokenizerAudit(
        name=source.name,
        languages=languages,
        kinds=kinds,
        longest=longest,
        gaps=id_gaps(source),
        numbers=numbers,
        dates=dates,
        templates=audited,
        findings=sorted_findings(findings),
        not_applicable={} if templates else {"template": "the files hold no chat template"},
    )


def headline(name: str, quality: ParallelQuality) -> str:
    """Return what the languages cost, in one sentence."""
    by_code = {one.language: one for one in quality.languages}
    others = [one for one in quality.languages if one.language != quality.reference and not one.struck]
    reference = language_name(quality.reference)
    if not others or quality.median_premium is None:
        return f"{name} gives no language but {reference} without many unknown tokens."
    told = [by_code[code] for code in _TOLD if code in by_code and not by_code[code].struck]
    # The dearest is told in any case, last, and once.
    told = [*(one for one in told if one.language != quality.highest), by_code[quality.highest or ""]]
    said = [f"{one.premium.value:.1f} for {language_name(one.language)}" for one in told]
    first, rest = said[0].split(" for ", 1), said[1:]
    listed = ", ".join([f"{first[0]} times the tokens of {reference} for {first[1]}", *rest])
    struck = len(quality.languages) - 1 - len(others)
    left_out = f", {struck} left out for unknown tokens" if struck else ""
    return f"{name} needs {listed} ({len(others)} languages, median {quality.median_premium:.1f}{left_out})."


def _counted(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    words = [f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in Level]
    return f"{', '.join(words)}."
