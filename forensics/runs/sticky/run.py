"""`sticky`: which tokens distort a text-embedding model, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import OptionError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.sticky.contraction import PROBES, SCREEN_PROBES, run_contraction
from forensics.runs.sticky.corpora import corpora_summary, corpus_files, count_in_corpora
from forensics.runs.sticky.inputs import StickyTexts, check_together, read_texts
from forensics.runs.sticky.measured import Measured, Task
from forensics.runs.sticky.published import run_published
from forensics.runs.sticky.summary import shared_summary
from forensics.schema.sticky import StickyOptions, StickySummary
from forensics.sources.runtimes.text_encoder import TextEncoder, open_text_encoder
from forensics.sources.texts.corpora import Corpus, find_corpora, left_out
from forensics.sticky.find_by_contraction import ORDINARY_SAMPLE
from forensics.sticky.mean_similarity import mean_token_similarity
from forensics.sticky.probes import refuse_unfit
from forensics.vocabulary.build import build_vocabulary

__all__ = ["find_sticky_tokens"]

#: Random entries from which `contraction` estimates u, which only divides its pairs into those below and
#: above. On all-MiniLM-L6-v2 its standard error is 0.0012 (u is 0.200), and all entries cost 37 CPU seconds,
#: as much as fifty tokens. `std` chooses its pairs by u and takes all entries.
U_SAMPLE = 2048


def find_sticky_tokens(
    model: str | Path,
    *,
    method: str = "contraction",
    sentences: Sequence[str | Path] = (),
    pairs: str | Path | None = None,
    tokens: Sequence[int] | None = None,
    insertions: int = 8,
    pairs_score: int = 5,
    pairs_validate: int = 250,
    shortlist: float = 2.0,
    early_stop: bool = False,
    minimum_effect: float | None = None,
    ordinary_sample: int = ORDINARY_SAMPLE,
    corpora: Sequence[str | Path] = (),
    max_bytes: int | None = None,
    effects: bool = True,
    pooling: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    backend: str = "auto",
    screen_dtype: str = "auto",
    batch_size: int | None = None,
    threads: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = True,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[StickySummary]:
    """Return which tokens of a text-embedding model are sticky (Chen et al. 2025, arXiv 2507.18171).

    >>> import forensics as fx                                               # doctest: +SKIP
    >>> fx.find_sticky_tokens("demo", tokens=[103]).tokens.query("sticky")  # doctest: +SKIP

    :param model: A sentence-transformers folder, an encoder folder, a hub id, or `demo`.
    :param method: `contraction` (slope of similarities, with error control) or `std` (as published).
    :param sentences: One file to find and confirm on, or one for each; the package's own if empty.
    :param pairs: A CSV of sentence pairs, for `std`.
    :param tokens: Only these ids, measured as in a full run.
    :param insertions: Copies of a token.
    :param pairs_score: Pairs of the published score.
    :param pairs_validate: Pairs of the published validation.
    :param shortlist: Share in percent that is shortlisted (`contraction`: at least).
    :param early_stop: `std`: leave a token once it cannot come into the shortlist.
    :param minimum_effect: `contraction`: the least effect that counts; None takes the larger of what a user
        notices and what is out of the ordinary (`forensics.sticky.ordinary`).
    :param ordinary_sample: `contraction`: random tokens whose median is the ordinary token.
    :param corpora: Folders of text in which every token is counted, or `demo`.
    :param max_bytes: Text read of each category of `corpora` at most.
    :param effects: `contraction`: try the sticky tokens on retrieval and look at their attention.
    :param pooling: `mean`, `cls`, `last` or `max`, where the folder does not say.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
    :param backend: `torch`, `onnx` or `auto`, see `open_text_encoder`.
    :param screen_dtype: The same for the screen alone; `auto` is `dtype`.
    :param batch_size: Texts per forward pass.
    :param threads: Threads of torch.
    :param seed: Seed of every random choice of `contraction`; `std` has the published seed 42.
    :param out: Folder for journal, data and reports; None keeps everything in memory.
    :param resume: Continue an interrupted run in `out`.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If an input or an option cannot be used.
    """
    options = StickyOptions(
        method=method,
        sentences=tuple(str(path) for path in sentences),
        pairs=None if pairs is None else str(pairs),
        tokens=None if tokens is None else tuple(sorted({int(i) for i in tokens})),
        insertions=insertions,
        pairs_score=pairs_score,
        pairs_validate=pairs_validate,
        shortlist=shortlist,
        early_stop=early_stop,
        minimum_effect=minimum_effect,
        ordinary_sample=ordinary_sample,
        corpora=tuple(str(path) for path in corpora),
        max_bytes=max_bytes,
        effects=effects,
        pooling=pooling,
        device=device,
        dtype=dtype,
        backend=backend,
        screen_dtype=screen_dtype,
        batch_size=batch_size,
        threads=threads,
    )
    settings = RunSettings.of(
        out, resume=resume, overwrite=overwrite, offline=offline, command_line=command_line
    )
    heard = progress or Progress()

    def prepare() -> Job:
        search = _open(model, options, seed, settings.offline, heard)
        return Job(search.inputs(), search.work)

    return run("sticky", options, prepare, settings, heard, seed=seed)


def _open(
    model: str | Path, options: StickyOptions, seed: int, offline: bool | None, progress: Progress
) -> _Search:
    """Read the user's texts, open the model and refuse what does not go together."""
    check_together(options)
    texts = read_texts(options)
    corpora = find_corpora(options.corpora) if options.corpora else []
    with progress.stage("open"):
        encoder = _encoder(model, options.dtype, options.backend, options, offline, progress)
        wrong = [i for i in options.tokens or () if not 0 <= i < encoder.rows]
        if wrong:
            raise OptionError(
                "tokens",
                f"id {wrong[0]} is outside the embedding of {encoder.rows:,} rows",
                "give ids of the model's vocabulary",
            )
        if options.method == "contraction":
            for each in texts.sets:
                probes = PROBES + SCREEN_PROBES
                refuse_unfit(encoder, each.sentences, name=each.where, probes=probes, lines=each.lines)
        screen = None
        if options.method == "contraction" and options.screen_dtype not in ("auto", options.dtype):
            screen = _encoder(encoder.path, options.screen_dtype, "auto", options, offline, progress)
    return _Search(encoder, screen, texts, corpora, options, seed, progress)


def _encoder(
    model: str | Path,
    dtype: str,
    backend: str,
    options: StickyOptions,
    offline: bool | None,
    progress: Progress,
) -> TextEncoder:
    return open_text_encoder(
        model,
        pooling=options.pooling,
        device=options.device,
        dtype=dtype,
        backend=backend,
        batch_size=options.batch_size,
        threads=options.threads,
        offline=offline,
        progress=progress,
    )


@dataclass(frozen=True, eq=False)
class _Search:
    """A run whose model and texts are open."""

    encoder: TextEncoder
    screen: TextEncoder | None
    texts: StickyTexts
    corpora: Sequence[Corpus]
    options: StickyOptions
    seed: int
    progress: Progress

    def inputs(self) -> Inputs:
        """Return the files that are read."""
        pairs = self.options.pairs
        return Inputs(
            {
                "model": frozenset(self.encoder.files),
                "sentences": [Path(name) for name in self.options.sentences],
                "pairs": [] if pairs is None else [Path(pairs)],
                **corpus_files(self.corpora),
            }
        )

    def work(self, journal: Journal) -> Outcome:
        """Estimate u, count the user's text, and search by the method asked for."""
        encoder, options, progress = self.encoder, self.options, self.progress
        with progress.stage("vocabulary"):
            vocabulary = build_vocabulary(encoder.source, encoder.rows, progress)
        u, sample = self._mean_similarity(journal)
        occurrence = None
        if self.corpora:  # before the long work, for the sake of errors in the text
            occurrence = count_in_corpora(encoder, self.corpora, options.max_bytes, journal, progress)
        task = Task(encoder, self.screen, vocabulary, self.texts, u, options, self.seed, journal, progress)
        search = run_contraction if options.method == "contraction" else run_published
        measured: Measured = search(task, shared_summary(encoder, options, u, sample))
        columns, summary = measured.columns, measured.summary
        remarks = [*left_out(options.corpora), *encoder.notes]
        for remark in remarks:
            progress.note(remark)
        summary = replace(summary, notes=(*remarks, *summary.notes))
        if occurrence is not None:
            columns = columns.join(occurrence.columns())
            found = columns.index[columns["sticky"]].tolist() if "sticky" in columns else None
            summary = replace(summary, corpora=corpora_summary(occurrence, found))
        table = vocabulary.table()[["token_id", "piece", "text", "category"]].head(encoder.rows)
        return Outcome({"tokens": table.join(columns)}, summary)

    def _mean_similarity(self, journal: Journal) -> tuple[float, int | None]:
        """Return u and, where it is an estimate, the number of entries it rests on."""
        entries = [piece for piece in self.encoder.source.pieces if piece is not None]
        estimated = self.options.method == "contraction" and len(entries) > U_SAMPLE
        sample = U_SAMPLE if estimated else None
        u = journal.recall("u")
        if u is None:
            u = mean_token_similarity(self.encoder, entries, self.progress, sample=sample, seed=self.seed)
            journal.keep("u", u)
        return u, sample
