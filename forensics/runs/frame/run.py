"""The frame of every run: open, hash, know again, keep a journal, work, save, clean up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensics.errors import OutputError
from forensics.progress import Progress
from forensics.report.kinds import kind_of
from forensics.runs.frame.fingerprint import fingerprint
from forensics.runs.frame.folder import clear, finished_run, held, refuse_foreign
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.manifest import build_manifest, hash_inputs
from forensics.runs.frame.outcome import Job, RunSettings
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.runs.frame.result import Result
from forensics.schema.options import check
from forensics.sources.tokenizer_files.library_panics import panics_refused

__all__ = ["run"]


def run(
    command: str,
    options: object,
    prepare: Callable[[], Job],
    settings: RunSettings,
    progress: Progress,
    *,
    seed: int | None = None,
    journal: str | None = None,
) -> Result[Any]:
    """Return the result of a command: computed, continued or, where its folder holds it already, loaded.

    :param command: Its name.
    :param options: Its dataclass of options, checked here.
    :param prepare: Opens the inputs and refuses what can be refused before the work.
    :param settings: Where it writes.
    :param progress: Where to report.
    :param seed: What random choices are drawn from.
    :param journal: The name of the file that an interrupted run leaves.
    :raises BadInputError: If an option, an input or the folder cannot be used.
    :raises OutputError: If anything cannot be written.
    """
    check(options)
    kind = kind_of(command)
    with held(settings.out) as folder:
        if folder is not None:
            refuse_foreign(folder, kind)
        with panics_refused("the tokenizer"):
            job = prepare()
        files, contents = hash_inputs(job.inputs, progress)
        identity = fingerprint(command, options, contents, seed)
        if folder is not None and not settings.overwrite:
            found = finished_run(folder, identity, kind)
            if found is not None:
                progress.note(f"{folder} holds this run already; `overwrite` computes it again.")
                return Result(found.tables, found.summary, found.manifest, folder)
        file = None if folder is None else folder / (journal or f"{command}.jsonl")
        kept = Journal(file, identity, resume=settings.resume)
        if len(kept):
            progress.note(f"Resuming: {len(kept):,} results were kept before the interruption.")
        with closing(kept), panics_refused("the tokenizer"):
            outcome = job.work(kept)
        seconds = {name: round(spent, 3) for name, spent in progress.seconds.items()}
        summary = replace(outcome.summary, seconds=seconds, peak_rss_bytes=peak_rss_bytes() or 0)
        manifest = build_manifest(
            files, command_line=settings.command_line, seed=seed, options=options, fingerprint=identity
        )
        result: Result[Any] = Result(outcome.tables, summary, manifest, folder)
        if folder is not None:
            _save(result, folder, progress)
            kept.remove()
        return result


def _save(result: Result[Any], folder: Path, progress: Progress) -> None:
    clear(folder)
    try:
        with progress.stage("write report"):
            result.save(folder)
    except OutputError:
        clear(folder, result.kind)  # a full disk: no data are better than a part of them
        raise
