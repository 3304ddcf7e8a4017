"""`scan`: which tokens of a checkpoint are under-trained, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forensics.errors import OptionError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.scan.by_frequency import rows_by_count, rows_by_frequency
from forensics.runs.scan.examined import Examined, matrices_of
from forensics.runs.scan.geometry import matrix_shape
from forensics.runs.scan.ordinary_text import OrdinaryText, counted_text, uncounted_text
from forensics.runs.scan.summary import scan_summary
from forensics.runs.scan.table import scan_table
from forensics.runs.scan.verify import Verification, verify_findings
from forensics.schema.scan import ScanOptions, ScanSummary
from forensics.sources.interface import Checkpoint, TokenizerSource
from forensics.sources.texts.corpora import Corpus, find_corpora
from forensics.sources.texts.natural_text import natural_text
from forensics.undertrained.weights import analyse_weights
from forensics.undertrained.witnesses import Witnesses
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.eligible import eligible_tokens, reference_evidence
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["scan"]

#: Operations that the column `top10_cosine` may cost where it does not decide the ranking: seconds on
#: one thread. Rows at the fringe are then asked for their nearest rows; the report says which.
_COLUMN_OPERATIONS = 1e11


def scan(
    model: str | Path,
    *,
    tokenizer: str | Path | None = None,
    verify: bool | None = None,
    candidates: float = 2.0,
    max_candidates: int | None = None,
    audit_sample: int = 100,
    census: bool = False,
    estimate_tokens: int | None = None,
    corpora: str | Path | Sequence[str | Path] = (),
    tokens: Sequence[int] | None = None,
    reference: Sequence[int] | None = None,
    indicator: str | None = None,
    geometry: bool = False,
    bigrams: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    runtime: str = "transformers",
    endpoint: str | None = None,
    endpoint_model: str | None = None,
    max_requests: int | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = True,
    overwrite: bool = False,
    offline: bool | None = None,
    trust_remote_code: bool = False,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[ScanSummary]:
    """Return which tokens of `model` are under-trained (Land and Bartolo 2024, arXiv 2405.05417).

    >>> import forensics as fx                                       # doctest: +SKIP
    >>> fx.scan("demo").tokens.query("verdict == 'verified_strong'")  # doctest: +SKIP

    :param model: A folder, a file, a hub id or `demo`.
    :param tokenizer: Where the tokenizer is, if not with the model.
    :param verify: Whether to put tokens to the model; None: if it can be run.
    :param candidates: The least share of eligible tokens that is verified, in percent.
    :param max_candidates: Most tokens of the ranking gone through one by one; None: 4,000.
    :param audit_sample: Random tokens outside the candidates that are verified.
    :param census: Probe every token: what verifies is then counted and not estimated.
    :param estimate_tokens: Random tokens probed for the estimate; None: 8,000 on a processor, all where that
        takes minutes.
    :param corpora: Ordinary text for the second look; a folder with one file or folder per category, several
        of them, or `demo`; none: the text that comes with the package.
    :param tokens: Verify just these.
    :param reference: Reference tokens; found from evidence if None.
    :param indicator: Column to rank by; chosen if None.
    :param geometry: Describe the shape of the embedding matrix, too.
    :param bigrams: Improbable pairs that the model is asked to copy; None: none.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
    :param runtime: What runs the model: `transformers`, or `llamacpp` for a GGUF file.
    :param endpoint: Address of a server that is asked instead of running the model.
    :param endpoint_model: The model's name there.
    :param max_requests: Most requests to it.
    :param batch_size: Tokens per forward pass; None: by prompt and device.
    :param threads: Threads of torch.
    :param seed: Seed of the run's one random generator.
    :param out: Folder for journal, data and reports; None keeps everything in memory.
    :param resume: Continue an interrupted run in `out`.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param trust_remote_code: Allow code that comes with the model to run.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If an input or an option cannot be used.
    :raises ForensicsError: If `verify` is True and the model cannot be run.
    """
    if census and estimate_tokens is not None:
        raise OptionError("census", "given together with `estimate_tokens`", "give one of the two")
    if verify is False and bigrams is not None:
        raise OptionError("bigrams", "the model is not to be run", "leave `bigrams` or the switch out")
    if endpoint is None and (endpoint_model is not None or max_requests is not None):
        name = "max_requests" if endpoint_model is None else "endpoint_model"
        raise OptionError(name, "given without `endpoint`", "give the address of the server, too")
    folders = [corpora] if isinstance(corpora, str | Path) else list(corpora)
    options = ScanOptions(
        verify=verify,
        candidates=candidates,
        max_candidates=max_candidates,
        audit_sample=audit_sample,
        census=census,
        estimate_tokens=estimate_tokens,
        corpora=tuple(str(folder) for folder in folders),
        tokens=None if tokens is None else tuple(int(i) for i in tokens),
        reference=None if reference is None else tuple(int(i) for i in reference),
        indicator=indicator,
        geometry=geometry,
        bigrams=bigrams,
        device=device,
        dtype=dtype,
        runtime=runtime,
        endpoint=endpoint,
        endpoint_model=endpoint_model,
        max_requests=max_requests,
        batch_size=batch_size,
        threads=threads,
        trust_remote_code=trust_remote_code,
    )
    settings = RunSettings.of(
        out, resume=resume, overwrite=overwrite, offline=offline, command_line=command_line
    )
    heard = progress or Progress()

    def prepare() -> Job:
        scanner = _open(model, tokenizer, options, seed, settings.offline, heard)
        return Job(scanner.inputs(), scanner.work)

    return run("scan", options, prepare, settings, heard, seed=seed, journal="verification.jsonl")


def _open(
    model: str | Path,
    tokenizer: str | Path | None,
    options: ScanOptions,
    seed: int,
    offline: bool | None,
    progress: Progress,
) -> _Scanner:
    """Open the sources and refuse ids that the matrix does not have."""
    from forensics.sources import open_checkpoint, open_tokenizer

    with progress.stage("open"):
        checkpoint = open_checkpoint(model, offline=offline, progress=progress)
        source = open_tokenizer(model if tokenizer is None else tokenizer, offline=offline, progress=progress)
    _check_ids("tokens", options.tokens, checkpoint.embedding.shape[0])
    _check_ids("reference", options.reference, checkpoint.embedding.shape[0])
    corpora: list[Corpus] = []
    if options.corpora:
        corpora = find_corpora(options.corpora)
    elif options.verify is not False:
        corpora = natural_text()
    return _Scanner(checkpoint, source, corpora, options, seed, progress)


def _check_ids(option: str, ids: Sequence[int] | None, rows: int) -> None:
    outside = [i for i in ids or () if not 0 <= i < rows]
    if outside:
        raise OptionError(
            option, f"{outside[0]} is no row of the matrix ({rows} rows)", f"give ids from 0 to {rows - 1}"
        )


@dataclass(frozen=True, eq=False)
class _Scanner:
    """A scan whose sources are open."""

    checkpoint: Checkpoint
    source: TokenizerSource
    #: Ordinary text for the second look; none where nothing is verified and the user gave none.
    corpora: Sequence[Corpus]
    options: ScanOptions
    seed: int
    progress: Progress

    def inputs(self) -> Inputs:
        """Return the files that are read."""
        files: dict[str, Sequence[Path] | frozenset[Path]] = {
            "model": frozenset(self.checkpoint.files),
            "tokenizer": frozenset(self.source.files),
        }
        return Inputs(files | {f"text {corpus.name}": corpus.files for corpus in self.corpora})

    def work(self, journal: Journal) -> Outcome:
        """Look at the weights, then put tokens to the model."""
        rng = np.random.default_rng(self.seed)
        with self.progress.stage("vocabulary"):
            vocabulary = build_vocabulary(self.source, self.checkpoint.embedding.shape[0], self.progress)
        examined = self._examine(vocabulary, rng)
        text = self._text()
        verification = Verification(None, skipped="it was switched off")
        if self.options.verify is not False:
            verification = verify_findings(
                examined, self.options, text, rng, self.seed, journal, self.progress
            )
        shape = matrix_shape(examined, self.seed, self.progress) if self.options.geometry else None
        table = scan_table(vocabulary, examined.findings, verification.result, verification.look)
        if shape is not None:
            table["fiber_p"] = shape.fiber_p
        summary = replace(
            scan_summary(examined, self.options, verification),
            geometry=None if shape is None else shape.geometry,
            by_frequency=rows_by_frequency(examined, verification.result),
            by_count=rows_by_count(examined, verification.result, text, verification.losses),
            bigrams=verification.bigrams,
        )
        return Outcome({"tokens": table}, summary)

    def _text(self) -> OrdinaryText:
        """Return the text of the scan; only the user's own is counted."""
        rows = self.checkpoint.embedding.shape[0]
        if not self.options.corpora:
            return uncounted_text(self.corpora, self.source, rows)
        return counted_text(self.corpora, self.source, rows, self.progress)

    def _examine(self, vocabulary: Vocabulary, rng: np.random.Generator) -> Examined:
        eligible = eligible_tokens(vocabulary, self.checkpoint.embedding.shape[0])
        matrices = matrices_of(self.checkpoint)
        try:
            findings = analyse_weights(
                matrices,
                evidence=reference_evidence(vocabulary, matrices.E_in.shape[0]),
                eligible=eligible,
                vocabulary_size=len(self.source.pieces),
                rng=rng,
                percent=self.options.candidates,
                reference_ids=self.options.reference,
                indicator=self.options.indicator,
                witnesses=Witnesses(vocabulary.text, vocabulary.script, operations=_COLUMN_OPERATIONS),
                progress=self.progress,
            )
        except ValueError as error:
            if self.options.indicator is None:
                raise
            raise OptionError(
                "indicator", str(error), "name one of those, or leave the choice to the scan"
            ) from error
        return Examined(self.checkpoint, self.source, vocabulary, eligible, findings)
