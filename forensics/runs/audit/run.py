"""`audit`: whether a tokenizer is sound, fair and safe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.auditing import whole
from forensics.progress import Progress
from forensics.runs.audit.inputs import Opened, open_inputs
from forensics.runs.audit.optional import optional_parts
from forensics.runs.audit.residue_text import residues_of
from forensics.runs.audit.summary import audit_summary
from forensics.runs.audit.tables import findings_table, languages_table, numbers_table, vocabulary_table
from forensics.runs.frame.outcome import Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.schema.audit import AuditOptions
from forensics.schema.audit_summary import AuditSummary
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.merge_list import read_merge_list

__all__ = ["audit"]


def audit(
    tokenizer: str | Path,
    *,
    parallel: str | Path | None = None,
    reference_language: str = "eng_Latn",
    corpora: str | Path | Sequence[str | Path] = (),
    reference: str | Path | None = None,
    renyi: bool = False,
    overlap: bool = False,
    gini: bool = False,
    inference: bool = False,
    pairs: bool = False,
    morphology: str | Path | None = None,
    words: str | Path | None = None,
    wordlist: str | Path | None = None,
    prune_plan: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[AuditSummary]:
    """Return what a tokenizer costs in each language, and what is wrong with it.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param parallel: A folder with one text per language, line i of each saying the same; default the
        embedded set.
    :param reference_language: The language that premiums refer to, as its file is named.
    :param corpora: Folders with one file or folder of text per category, for residues; default the embedded.
    :param reference: A tokenizer that lengths are given against.
    :param renyi: Give Renyi efficiency, Shannon entropy and average rank.
    :param overlap: Give the divergence of any two languages.
    :param gini: Give the Gini coefficient of tokens per line over languages.
    :param inference: Compare other segmentations with the tokenizer's own.
    :param pairs: Count pairs of incomplete tokens that survive encoding.
    :param morphology: A file with a word, a tab and its morphemes in each line.
    :param words: A file with one word in each line, as often as it occurs.
    :param wordlist: A file with one word in each line.
    :param prune_plan: List the tokens that the texts do without.
    :param seed: Of the numbers, dates and pairs that are drawn.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the tokenizer or a text cannot be used.
    """
    folders = [corpora] if isinstance(corpora, str | Path) else list(corpora)
    options = AuditOptions(
        parallel=_text(parallel),
        reference_language=reference_language,
        corpora=tuple(str(folder) for folder in folders),
        reference=_text(reference),
        renyi=renyi,
        overlap=overlap,
        gini=gini,
        inference=inference,
        pairs=pairs,
        morphology=_text(morphology),
        words=_text(words),
        wordlist=_text(wordlist),
        prune_plan=prune_plan,
    )
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()

    def prepare() -> Job:
        opened = open_inputs(tokenizer, options, settings.offline, heard)
        return Job(opened.inputs(), lambda _: _work(opened, options, seed, heard))

    return run("audit", options, prepare, settings, heard, seed=seed)


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


def _work(opened: Opened, options: AuditOptions, seed: int, progress: Progress) -> Outcome:
    """Call the analyses one after the other."""
    source = opened.source
    with progress.stage("vocabulary"):
        vocabulary = build_vocabulary(source, progress=progress)
        merges = read_merge_list(source)
    found = whole.audit_tokenizer(
        source,
        vocabulary,
        opened.parallel.lines,
        opened.templates,
        merges=merges,
        reference=options.reference_language,
        seed=seed,
        progress=progress,
    )
    residues = residues_of(source, merges, opened.corpora, progress)
    asked = optional_parts(opened, vocabulary, found, options, seed, progress)
    tables = {
        "languages": languages_table(
            found.languages.languages, asked, size=len(source.pieces), renyi=options.renyi
        ),
        "vocabulary": vocabulary_table(
            vocabulary, found.kinds, None if isinstance(residues, str) else residues.residues, asked
        ),
        "numbers": numbers_table(found.numbers),
        "findings": findings_table(found.findings),
    }
    return Outcome(tables, audit_summary(opened, vocabulary, found, residues, asked))
