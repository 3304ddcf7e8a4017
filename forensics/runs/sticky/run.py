"""`sticky`: which tokens distort a text-embedding model, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.progress import Progress
from forensics.runs.frame.folder import finished_run
from forensics.runs.frame.journal import Journal, fingerprint
from forensics.runs.frame.manifest import build_manifest, hash_files
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.runs.sticky.corpora import corpus_files, count_in_corpora, occurrence_summary
from forensics.runs.sticky.inputs import StickyOptions
from forensics.runs.sticky.kept_results import Memory
from forensics.runs.sticky.methods import run_method
from forensics.runs.sticky.result import StickyResult
from forensics.sources.runtimes.text_encoder import open_text_encoder
from forensics.sticky.find_by_contraction import ORDINARY_SAMPLE
from forensics.sticky.mean_similarity import mean_token_similarity
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StickyResult", "find_sticky_tokens"]

_JOURNAL = "sticky.jsonl"
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
) -> StickyResult:
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
    progress = progress or Progress()
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
    )
    where: dict[str, Any] = {
        "pooling": pooling,
        "device": device,
        "batch_size": batch_size,
        "threads": threads,
        "offline": offline,
    }
    with progress.stage("open"):
        encoder = open_text_encoder(model, **where, dtype=dtype, backend=backend, progress=progress)
        options.check(encoder.rows)
        screen = None
        if method == "contraction" and screen_dtype not in ("auto", dtype):
            screen = open_text_encoder(encoder.path, **where, dtype=screen_dtype)
    inputs = [Path(p) for p in (*options.sentences, *([options.pairs] if options.pairs else []))]
    _refuse_missing(inputs)
    text_files = corpus_files(options.corpora)
    files = hash_files([*encoder.files, *inputs, *text_files], progress=progress)
    parameters = asdict(options)
    contents = sorted((Path(f["path"]).name, f["sha256"]) for f in files)
    run = fingerprint({"files": contents, "seed": seed, **parameters})
    folder = None if out is None else Path(out)
    if folder is not None and not overwrite and (kept := finished_run(folder, run)) is not None:
        progress.note(f"{folder} holds this run already; --overwrite computes it again.")
        return StickyResult(kept.tokens, kept.summary, kept.manifest, folder)
    with progress.stage("vocabulary"):
        vocabulary = build_vocabulary(encoder.source, encoder.rows, progress)
    journal = None if folder is None else Journal(folder / _JOURNAL, run, resume=resume)
    memory = Memory(journal)
    if len(memory):
        progress.note(f"Resuming: {len(memory):,} results were kept before the interruption.")
    entries = [piece for piece in encoder.source.pieces if piece is not None]
    sample = U_SAMPLE if method == "contraction" and len(entries) > U_SAMPLE else None
    try:
        u = memory.recall("u")
        if u is None:
            u = mean_token_similarity(encoder, entries, progress, sample=sample, seed=seed)
            memory.keep("u", u)
        occurrence = None
        if options.corpora:  # before the long work, for the sake of errors in the text
            occurrence = count_in_corpora(encoder, options.corpora, max_bytes, memory, progress)
        columns, summary = run_method(encoder, screen, vocabulary, u, options, seed, memory, progress)
        if occurrence is not None:
            columns = columns.join(occurrence.columns())
            found = columns.index[columns["sticky"]].tolist() if "sticky" in columns else None
            summary["corpora"] = occurrence_summary(occurrence, found)
    finally:
        if journal is not None:
            journal.close()
    table = _base_table(vocabulary, encoder.rows).join(columns)
    name = "demo" if str(model) == "demo" else str(model)
    whole = {
        "kind": "sticky",
        "name": encoder.name,
        "model": name,
        "method": method,
        "pooling": {"mode": str(encoder.layout.pooling), "stated_by": encoder.layout.pooling_origin},
        "tokenizer": {"type": str(encoder.source.model), "vocab_size": len(encoder.source.pieces)},
        "backend": encoder.backend,
        "insertions": insertions,
        "asked_for": None if tokens is None else len(options.tokens or ()),
        "mean_token_similarity": u,
        "mean_token_similarity_sample": sample,
        **summary,
        "seconds": {stage: round(seconds, 3) for stage, seconds in progress.seconds.items()},
        "peak_rss_bytes": peak_rss_bytes(),
    }
    manifest = build_manifest(
        files,
        command_line=command_line,
        seed=seed if method == "contraction" else 42,
        parameters=parameters,
        fingerprint=run,
    )
    result = StickyResult(table, whole, manifest, folder)
    if folder is not None:
        with progress.stage("write report"):
            result.save(folder)
        (folder / _JOURNAL).unlink(missing_ok=True)
    return result


def _base_table(vocabulary: Vocabulary, rows: int) -> pd.DataFrame:
    """Return id, piece, text and category of every row."""
    return vocabulary.table()[["token_id", "piece", "text", "category"]].head(rows)


def _refuse_missing(inputs: Sequence[Path]) -> None:
    """Read the user's files once, before any work, for their error's sake."""
    from forensics.files import read_bytes

    for path in inputs:
        read_bytes(path)
