"""`tokens`: the vocabulary alone, without any weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.tokenizer_facts import (
    role_agreement,
    special_tokens,
    tokenizer_facts,
    vocabulary_counts,
)
from forensics.schema.tokenizer import MergeProblemEntry, MergesSummary
from forensics.schema.tokens import ImprobablePairsSummary, TokensOptions, TokensSummary
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.improbable_pairs import improbable_pairs
from forensics.vocabulary.merges import MergeProblem, merge_problems
from forensics.vocabulary.special import special_findings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["tokens"]

#: Draws the pairs that are encoded where there are too many to encode all; part of the command, which has no
#: seed. And how many of them are shown.
_PAIRS_SEED, _PAIRS_SHOWN = 0, 6


def tokens(
    tokenizer: str | Path,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[TokensSummary]:
    """Return categories, bytes, scripts and merge problems of a tokenizer.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the tokenizer cannot be read.
    """
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()
    return run(
        "tokens", TokensOptions(), lambda: _prepare(tokenizer, settings.offline, heard), settings, heard
    )


def _prepare(tokenizer: str | Path, offline: bool | None, progress: Progress) -> Job:
    """Open the tokenizer."""
    from forensics.sources import open_tokenizer

    with progress.stage("open"):
        source = open_tokenizer(tokenizer, offline=offline, progress=progress)

    def work(_: Journal) -> Outcome:
        with progress.stage("vocabulary"):
            vocabulary = build_vocabulary(source, progress=progress)
        with progress.stage("merges"):
            problems = merge_problems(source, vocabulary)
        with progress.stage("improbable pairs"):
            pairs = _pairs(source, vocabulary)
        summary = replace(_summary(source, vocabulary, problems), improbable_pairs=pairs)
        return Outcome({"tokens": vocabulary.table()}, summary)

    return Job(Inputs({"tokenizer": frozenset(source.files)}), work)


def _pairs(source: TokenizerSource, vocabulary: Vocabulary) -> ImprobablePairsSummary | None:
    """Return how many pairs of tokens share one character; None where tokens are no bytes."""
    if not source.byte_level:
        return None
    found = improbable_pairs(vocabulary.bytes, source.encoder, np.random.default_rng(_PAIRS_SEED))
    return ImprobablePairsSummary(
        prefixes=found.prefixes,
        suffixes=found.suffixes,
        compatible=found.compatible,
        tried=found.tried,
        survived=len(found.survived),
        estimate=found.estimate,
        exact=found.is_exact,
        mixed_scripts=found.mixed_scripts,
        examples=tuple(pair.text for pair in found.survived[:_PAIRS_SHOWN]),
    )


def _summary(
    source: TokenizerSource, vocabulary: Vocabulary, problems: Sequence[MergeProblem]
) -> TokensSummary:
    special = special_findings(source, vocabulary)
    return TokensSummary(
        kind="tokens",
        model=source.name,
        tokenizer=tokenizer_facts(source),
        counts=vocabulary_counts(vocabulary),
        merges=MergesSummary(
            len(source.merges),
            tuple(MergeProblemEntry(each.kind, each.meaning, each.count, each.examples) for each in problems),
        ),
        special_tokens=special_tokens(special),
        role_agreement=role_agreement(special),
        notes=tuple(source.notes),
        seconds={},
        peak_rss_bytes=0,
    )
