"""`mixture`: what a tokenizer was trained on, from its merge list, with the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import MissingExtraError, OptionError
from forensics.mixture.continuation import goes_on_from
from forensics.mixture.document_counts import DocumentCounts
from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.pair_evidence import Denominator
from forensics.mixture.piece_lists import respelt_words
from forensics.mixture.piece_simulation import PieceDocuments
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.result import Method, Mixture
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.mixture.count_text import count_categories
from forensics.runs.mixture.intervals import (
    counted_documents,
    counted_pieces,
    interval_remarks,
    simulated_intervals,
)
from forensics.runs.mixture.learned import LearnedMerges, LearnedPieces
from forensics.runs.mixture.reading import check_for_pieces, read_tokenizer
from forensics.runs.mixture.summary import merge_table, mixture_summary
from forensics.schema.mixture import MixtureOptions, MixtureSummary
from forensics.sources.texts.corpora import Corpus, find_corpora, left_out
from forensics.vocabulary.merge_list import MergeList, merge_list_of

if TYPE_CHECKING:
    from forensics.sources.interface import TokenizerSource

__all__ = ["infer_mixture"]

#: Libraries of the extra `mixture` that every run needs.
_NEEDS = ("highspy", "joblib", "numba")


def infer_mixture(
    tokenizer: str | Path,
    corpora: str | Path | Sequence[str | Path] = (),
    *,
    named: Mapping[str, str | Path] | Sequence[tuple[str, str | Path]] = (),
    method: str = "curve",
    compare: bool = False,
    merges: int | None = None,
    skip_merges: int = 0,
    after: str | Path | None = None,
    max_bytes: int | None = None,
    denominator: str = "bytes",
    solver: str = "highs",
    write_lp: str | Path | None = None,
    bootstrap: int = 0,
    pretokenizer: str | None = None,
    baselines: bool = False,
    cache: str | Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[MixtureSummary]:
    """Return the mixture of categories that a tokenizer's merges, or its pieces, point to.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param corpora: A folder with one file or folder per category, several of them, or `demo`.
    :param named: Further categories by name.
    :param method: `curve` or `lp`; a tokenizer without merges has one method of its own.
    :param compare: Use both methods and warn where they disagree.
    :param merges: Merges (or pieces) used, from the start of the list; default as many as the text supports.
    :param skip_merges: Merges at the start that are not explained.
    :param after: A tokenizer whose list this one begins with: only what follows is explained.
    :param max_bytes: Text read of each category at most.
    :param denominator: Unit inside the inference, `bytes` or `pairs`; the shares are of bytes.
    :param solver: `highs`, or one that PuLP knows.
    :param write_lp: Where the linear program is written.
    :param bootstrap: Simulated tokenizers for the intervals; 0 for none. Their text is documents of each
        category, 8 MB at most, so that no more text than that is ever in memory.
    :param pretokenizer: A named rule in place of the tokenizer's own.
    :param baselines: Give the source's baselines too.
    :param cache: Folder for the counts of text.
    :param jobs: Processes.
    :param dask: Address of a Dask scheduler for the counting.
    :param seed: What simulations are drawn from.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If nothing can be read of the tokenizer, or a category cannot be used.
    :raises OptionError: If an option is about merges and the tokenizer has none.
    :raises MissingExtraError: If the libraries of the extra `mixture` are not installed.
    """
    pairs = list(named.items()) if isinstance(named, Mapping) else list(named)
    folders = [corpora] if isinstance(corpora, str | Path) else list(corpora)
    options = MixtureOptions(
        corpora=tuple(str(folder) for folder in folders),
        method=method,
        compare=compare,
        merges=merges,
        skip_merges=skip_merges,
        after=None if after is None else str(after),
        max_bytes=max_bytes,
        denominator=denominator,
        solver=solver,
        write_lp=None if write_lp is None else str(write_lp),
        bootstrap=bootstrap,
        pretokenizer=pretokenizer,
        baselines=baselines,
        cache=None if cache is None else str(cache),
        jobs=jobs,
        dask=dask,
    )
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()

    def prepare() -> Job:
        inference = _open(tokenizer, pairs, options, seed, settings.offline, heard)
        return Job(inference.inputs(), inference.work)

    return run("mixture", options, prepare, settings, heard, seed=seed)


def _open(
    tokenizer: str | Path,
    named: Sequence[tuple[str, str | Path]],
    options: MixtureOptions,
    seed: int,
    offline: bool | None,
    progress: Progress,
) -> _Inference:
    """Find the text, open the tokenizer and see what can be read of it."""
    from forensics.sources import open_tokenizer

    _check_installed(options.dask)
    categories = find_corpora(options.corpora, named)
    if not categories:
        raise OptionError("corpora", "no category given", "try `corpora` demo")
    if options.after is not None and options.skip_merges:
        raise OptionError("after", "given together with `skip_merges`", "give one of the two")
    unread = left_out(options.corpora, named)
    for note in unread:
        progress.note(note)
    source = open_tokenizer(tokenizer, offline=offline, progress=progress)
    with progress.stage("look at what training left in the tokenizer"):
        learned = read_tokenizer(source, options.pretokenizer)
    if isinstance(learned, LearnedPieces):
        check_for_pieces(source, options)
    base = (
        None if options.after is None else open_tokenizer(options.after, offline=offline, progress=progress)
    )
    skip, remarks = options.skip_merges, [*unread, *learned.remarks]
    if base is not None and isinstance(learned, LearnedMerges):
        skip = _shared_merges(source, learned.merges, base)
        remarks.append(f"the first {skip:,} merges are those of {base.name} and are not explained")
    return _Inference(categories, learned, base, skip, remarks, options, seed, progress)


def _check_installed(dask: str | None) -> None:
    """Refuse to start what would fail after minutes of counting.

    :raises MissingExtraError: If a library that only this command needs is missing.
    """
    for package in _NEEDS:
        if find_spec(package) is None:
            raise MissingExtraError(package, "mixture", "`forensics mixture`")
    if dask is not None and find_spec("distributed") is None:
        raise MissingExtraError("distributed", "mixture", "counting on a Dask cluster")


def _shared_merges(source: TokenizerSource, merges: MergeList, base: TokenizerSource) -> int:
    """Return how many merges `source` has from `base`.

    :raises OptionError: If its list does not go on from the other.
    """
    others = merge_list_of(base)
    shared, goes_on = goes_on_from(merges, others)
    if not goes_on:
        raise OptionError(
            "after",
            f"the merge list of {source.name} does not begin with that of {base.name}: they have the first "
            f"{shared:,} merges in common, of {len(others):,}",
            "leave out `after`",
        )
    return shared


@dataclass(frozen=True, eq=False)
class _Inference:
    """A run whose tokenizer is open and whose text is found."""

    categories: Sequence[Corpus]
    learned: LearnedMerges | LearnedPieces
    #: The tokenizer whose merges are not explained.
    base: TokenizerSource | None
    #: How many those are.
    skip: int
    remarks: Sequence[str]
    options: MixtureOptions
    seed: int
    progress: Progress

    def inputs(self) -> Inputs:
        """Return the files that are read."""
        return Inputs(
            {
                "tokenizer": frozenset(self.learned.source.files),
                "after": frozenset(self.base.files if self.base is not None else ()),
                **{f"text {corpus.name}": corpus.files for corpus in self.categories},
            }
        )

    def work(self, _: Journal) -> Outcome:
        """Count, infer and simulate."""
        options = self.options
        counted = count_categories(
            self.categories,
            self.learned.splitter,
            max_bytes=options.max_bytes,
            cache=None if options.cache is None else Path(options.cache),
            jobs=options.jobs,
            dask=options.dask,
            progress=self.progress,
        )
        learned = self.learned
        text = (self.categories, options.max_bytes, self.seed, self.progress)
        documents: DocumentCounts | PieceDocuments | None = None
        if isinstance(learned, LearnedMerges):
            documents = counted_documents(learned, *text)
        elif options.bootstrap:
            documents = counted_pieces(learned, *text)
        mixture = self._infer(counted, documents if isinstance(documents, DocumentCounts) else None)
        for note in mixture.notes:
            self.progress.note(note)
        intervals = None
        if options.bootstrap and documents is not None:
            intervals = simulated_intervals(
                documents,
                learned,
                mixture,
                repeats=options.bootstrap,
                seed=self.seed,
                jobs=options.jobs,
                progress=self.progress,
            )
        remarks = list(self.remarks)
        if intervals is not None:
            what = "merges" if isinstance(learned, LearnedMerges) else "pieces"
            remarks += interval_remarks(intervals, self.categories, counted, what)
        notes = [*remarks, *mixture.notes, *self.learned.source.notes]
        summary = mixture_summary(self.learned, mixture, counted, intervals, options.bootstrap, notes)
        return Outcome({"merges": merge_table(self.learned, mixture)}, summary)

    def _infer(self, counted: Sequence[PretokenCounts], documents: DocumentCounts | None) -> Mixture:
        options, learned = self.options, self.learned
        if isinstance(learned, LearnedPieces):
            return learned.infer(counted, options.merges, options.baselines, self.progress)
        plan = InferencePlan(
            method=Method(options.method),
            compare=options.compare,
            most_merges=options.merges,
            skip=self.skip,
            denominator=Denominator(options.denominator),
            solver=options.solver,
            write_lp=None if options.write_lp is None else Path(options.write_lp),
            baselines=options.baselines,
        )
        words = [respelt_words(each) for each in counted] if learned.wordpiece else counted
        return infer_proportions(words, learned.merges, plan, self.progress, documents)
