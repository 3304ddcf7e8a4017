"""`repair`: neutral rows in place of untrained ones, written only if the model does not notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.errors import OptionError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.repair.guarding import run_guard
from forensics.runs.repair.inputs import RepairInputs, open_inputs
from forensics.runs.repair.plan import plan_rows
from forensics.runs.repair.tables import rows_table
from forensics.runs.repair.text import guard_corpora
from forensics.runs.repair.written import write_repaired
from forensics.schema.repair import NormHistogram, RepairOptions, RepairSummary
from forensics.sources.checkpoints.rewrite import stale_weights
from forensics.sources.texts.corpora import Corpus, find_corpora

__all__ = ["repair"]

#: Bars of the histogram of norms.
_BARS = 60


def repair(
    model: str | Path,
    scan: str | Path,
    *,
    tokenizer: str | Path | None = None,
    write: bool = False,
    method: str = "mean",
    resize_to: int | str | None = None,
    multiple_of: int = 64,
    reserved: bool = False,
    past_vocabulary: bool = False,
    keep: Sequence[int] | None = None,
    corpora: str | Path | Sequence[str | Path] = (),
    force: bool = False,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[RepairSummary]:
    """Return what neutral rows would do, and with `write=True` write the model that has them.

    >>> import forensics as fx                                                         # doctest: +SKIP
    >>> fx.repair("model", "results/model", out="results/repair").record.guard.rise     # doctest: +SKIP

    :param model: A folder of safetensors files, or a hub id.
    :param scan: The folder of a finished `scan` of the same rows.
    :param tokenizer: The tokenizer, where the model does not bring it.
    :param write: Write the repaired model into `model/` below `out`; without it only the report is written.
    :param method: `mean`, `parts` or `zero`.
    :param resize_to: Rows afterwards, or `tokenizer`.
    :param multiple_of: What the tokenizer's size is padded to a multiple of.
    :param reserved: Replace what a file declares reserved, too.
    :param past_vocabulary: Replace rows past the tokenizer's vocabulary, too.
    :param keep: Ids never to be replaced.
    :param corpora: Ordinary text for the guard; a folder with one file or folder per kind, several of them,
        or `demo`; none: the text that comes with the package.
    :param force: Take rows that only weights point at, or those of a scan of other weights.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
    :param threads: Threads of torch.
    :param out: Folder for the report; None keeps it in memory.
    :param overwrite: Replace a finished run in `out`; a model that lies there is never replaced.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the rows cannot be written or chosen, or the guard objects to what is to be
        written, with its numbers.
    """
    folders = [corpora] if isinstance(corpora, str | Path) else list(corpora)
    options = RepairOptions(
        write=write,
        method=method,
        resize_to=None if resize_to is None else str(resize_to),
        multiple_of=multiple_of,
        reserved=reserved,
        past_vocabulary=past_vocabulary,
        keep=None if keep is None else tuple(int(row) for row in keep),
        corpora=tuple(str(folder) for folder in folders),
        force=force,
        device=device,
        dtype=dtype,
        threads=threads,
    )
    if write and out is None:
        raise OptionError("write", "there is no folder to write into", "give `out`")
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()
    opened: list[RepairInputs] = []

    def prepare() -> Job:
        inputs = open_inputs(model, scan, tokenizer, options, settings, heard)
        opened.append(inputs)
        return _job(inputs, options, heard)

    result = run("repair", options, prepare, settings, heard)
    if not write or settings.out is None:
        return result
    return write_repaired(opened[0], result, settings.out, command_line, heard)


def _job(inputs: RepairInputs, options: RepairOptions, progress: Progress) -> Job:
    """Return the files that count, and the work."""
    corpora = guard_corpora(find_corpora(options.corpora) if options.corpora else None)
    work = _Work(inputs, options, corpora, progress)
    files: dict[str, Sequence[Path] | frozenset[Path]] = {
        "model": inputs.checkpoint.files,
        "tokenizer": frozenset(inputs.source.files),
        "scan": frozenset(inputs.scan_files),
        **{
            f"text {kind}": [file for corpus in of_kind for file in corpus.files]
            for kind, of_kind in corpora.items()
        },
    }
    return Job(Inputs(files), work.work)


@dataclass(frozen=True, eq=False)
class _Work:
    """A repair whose inputs are open."""

    inputs: RepairInputs
    options: RepairOptions
    corpora: dict[str, list[Corpus]]
    progress: Progress

    def work(self, _: Journal) -> Outcome:
        """Plan the rows and put them before the guard."""
        inputs, options = self.inputs, self.options
        with self.progress.stage("new rows"):
            plan = plan_rows(inputs, options.method)
        resized = inputs.sizes_after != inputs.sizes_before
        guarded = None
        if len(plan.ids) or resized:
            guarded = run_guard(inputs, plan, self.corpora, options, self.progress)
        summary = RepairSummary(
            kind="repair",
            model=inputs.checkpoint.name,
            scanned=inputs.scan.summary.model,
            method=options.method,
            ids=tuple(plan.ids.tolist()),
            by_why=dict(sorted(Counter(inputs.selection.why.values()).items())),
            left_special=inputs.selection.left,
            tying=inputs.checkpoint.tying.value,
            matrices=plan.matrices,
            sizes_before=inputs.sizes_before,
            sizes_after=inputs.sizes_after,
            guard=None if guarded is None else guarded.summary,
            norms=_histogram(plan.norms),
            other_weights=stale_weights(inputs.checkpoint.path),
            written=None,
            notes=inputs.notes,
            seconds={},
            peak_rss_bytes=0,
        )
        return Outcome({"rows": rows_table(inputs, plan, guarded)}, summary)


def _histogram(norms: npt.NDArray[np.float64]) -> NormHistogram:
    """Return the distribution of the norms that are numbers."""
    finite = norms[np.isfinite(norms)]
    counts, edges = np.histogram(finite, bins=_BARS)
    median = float(np.median(finite)) if len(finite) else 0.0
    return NormHistogram(tuple(map(float, edges)), tuple(map(int, counts)), median)
