"""`tokens`: the vocabulary alone, without any weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.progress import Progress
from forensics.runs.frame.folder import finished_run
from forensics.runs.frame.journal import fingerprint
from forensics.runs.frame.manifest import build_manifest, hash_files
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.runs.frame.result import RunResult
from forensics.runs.scan.summary import tokenizer_facts
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.merges import merge_problems
from forensics.vocabulary.special import special_findings

__all__ = ["tokens"]


def tokens(
    tokenizer: str | Path,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Return categories, bytes, scripts and merge problems of a tokenizer.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the tokenizer cannot be read.
    """
    import forensics
    from forensics.sources import open_tokenizer

    progress = progress or Progress()
    with progress.stage("open"):
        source = open_tokenizer(tokenizer, offline=offline, progress=progress)
    files = hash_files(source.files, progress=progress)
    contents = sorted((Path(f["path"]).name, f["sha256"]) for f in files)
    run = fingerprint({"files": contents, "command": "tokens", "version": forensics.__version__})
    folder = None if out is None else Path(out)
    if folder is not None and not overwrite and (finished := finished_run(folder, run)) is not None:
        progress.note(f"{folder} holds this run already; --overwrite computes it again.")
        return finished
    with progress.stage("vocabulary"):
        vocabulary = build_vocabulary(source, progress=progress)
    with progress.stage("merges"):
        problems = merge_problems(source, vocabulary)
    summary = {
        "kind": "tokens",
        "model": source.name,
        "tokenizer": tokenizer_facts(source),
        "counts": vocabulary.counts(),
        "merges": {"count": len(source.merges), "problems": [problem.as_dict() for problem in problems]},
        **special_findings(source, vocabulary).as_dict(),
        "notes": list(source.notes),
        "seconds": {name: round(seconds, 3) for name, seconds in progress.seconds.items()},
        "peak_rss_bytes": peak_rss_bytes(),
    }
    manifest = build_manifest(files, command_line=command_line, parameters={}, fingerprint=run)
    result = RunResult(vocabulary.table(), summary, manifest, folder)
    if folder is not None:
        result.save(folder)
    return result
