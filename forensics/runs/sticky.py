"""`sticky`: which tokens distort a text-embedding model, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.progress import Progress
from forensics.report.manifest import build_manifest, hash_files
from forensics.runs.folder import finished_run
from forensics.runs.journal import Journal, fingerprint
from forensics.runs.memory import peak_rss_bytes
from forensics.runs.sticky_contraction import (
    contraction_columns,
    contraction_summary,
    probe_sets,
    run_contraction,
)
from forensics.runs.sticky_effects import attention_of, retrieval_of, scatter_of
from forensics.runs.sticky_inputs import StickyOptions, reachable_tokens, round_trip_tokens
from forensics.runs.sticky_memory import Memory
from forensics.runs.sticky_published import (
    WEAKNESSES,
    pair_benches,
    published_columns,
    published_summary,
    run_published,
)
from forensics.sources.text_encoder import TextEncoder, open_text_encoder
from forensics.sticky.mean_similarity import mean_token_similarity
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StickyResult", "find_sticky_tokens"]

_JOURNAL = "sticky.jsonl"


@dataclass(frozen=True, eq=False)
class StickyResult:
    """The result of `sticky`, in memory; columns and keys are those of the files on disk."""

    #: One row per token, the columns of `tokens.parquet`.
    tokens: pd.DataFrame
    #: The contents of `summary.json`.
    summary: dict[str, Any]
    #: The contents of `manifest.json`.
    manifest: dict[str, Any]
    #: Where the files were written, or None.
    folder: Path | None = None

    def save(self, folder: str | Path) -> list[Path]:
        """Write data files and reports into `folder` and return their paths, `report.html` first.

        :raises OutputError: If anything cannot be written.
        """
        from forensics.report.sticky import save_sticky

        return save_sticky(Path(folder), self.tokens, self.summary, self.manifest)

    def _repr_html_(self) -> str:
        from forensics.report.sticky import sticky_html

        return sticky_html(self.tokens, self.summary)


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
    minimum_effect: float = 0.35,
    ordinary_sample: int = 256,
    pooling: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
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
    :param minimum_effect: `contraction`: the least effect that counts.
    :param ordinary_sample: `contraction`: random tokens whose median is the ordinary token.
    :param pooling: `mean`, `cls`, `last` or `max`, where the folder does not say.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
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
        pooling=pooling,
        device=device,
        dtype=dtype,
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
        encoder = open_text_encoder(model, **where, dtype=dtype, progress=progress)
        options.check(encoder.rows)
        screen = None
        if method == "contraction" and screen_dtype not in ("auto", dtype):
            screen = open_text_encoder(encoder.path, **where, dtype=screen_dtype)
    inputs = [Path(p) for p in (*options.sentences, *([options.pairs] if options.pairs else []))]
    _refuse_missing(inputs)
    files = hash_files([*encoder.files, *inputs], progress=progress)
    parameters = asdict(options)
    run = fingerprint({"files": [f["sha256"] for f in files], "seed": seed, **parameters})
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
    try:
        u = memory.recall("u")
        if u is None:
            entries = [piece for piece in encoder.source.pieces if piece is not None]
            u = mean_token_similarity(encoder, entries, progress)
            memory.keep("u", u)
        analyse = _contraction if method == "contraction" else _published
        columns, summary = analyse(encoder, screen, vocabulary, u, options, seed, memory, progress)
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
        "insertions": insertions,
        "asked_for": None if tokens is None else len(options.tokens or ()),
        "mean_token_similarity": u,
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


def _contraction(
    encoder: TextEncoder,
    screen: TextEncoder | None,
    vocabulary: Vocabulary,
    u: float,
    options: StickyOptions,
    seed: int,
    memory: Memory,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    sets = probe_sets(encoder, options, seed)
    available = [i for i in reachable_tokens(vocabulary) if i < encoder.rows]
    result = run_contraction(encoder, sets, u, available, options, seed, memory, progress, screen)
    columns = contraction_columns(result, encoder.rows)
    worst = [int(i) for i in columns.index[columns["sticky"]]]
    worst.sort(key=lambda i: (-result.findings[i].effect.effect, i))
    # Ordinary tokens are the random sample less whatever was found, in random order.
    calm = [i for i in result.sample if not result.findings[i].sticky]
    ordinary = [int(i) for i in np.random.default_rng([seed, 1]).permutation(calm)]
    summary = {"available": len(available), **contraction_summary(result, sets, options)}
    if worst:
        copies = options.insertions
        summary["retrieval"] = retrieval_of(encoder, worst, ordinary, copies, memory, progress)
        summary["attention"] = attention_of(encoder, sets[0], worst, ordinary, copies, progress)
        for key in ("in_queries", "in_documents"):
            found = {row["token_id"]: row[key] for row in summary["retrieval"]["tokens"]}
            columns[f"ndcg_{key}"] = columns.index.map(found).astype(np.float64)
    median = sorted(calm, key=lambda i: abs(result.findings[i].effect.effect))[:1]
    shown = [*(("sticky", i) for i in worst[:5]), *(("ordinary", i) for i in median)]
    summary["scatter"] = scatter_of(encoder, sets[0], shown)
    summary["notes"] = _contraction_notes(options)
    return columns, summary


def _contraction_notes(options: StickyOptions) -> list[str]:
    notes = [
        "Tokens are inserted by id. A text can hold the same run of ids only for tokens that some text "
        "produces; "
        "tokens that none produces are left out unless asked for with --tokens.",
        "The false-discovery rate holds for the model and this kind of probes; the probes are a sample of "
        "sentences, the tokens are all there are.",
    ]
    if options.tokens is not None:
        notes.append(
            "Only some tokens were asked for: slopes and effects are those of a full run, q-values are "
            "over the "
            "tokens measured here."
        )
    return notes


def _published(
    encoder: TextEncoder,
    _: TextEncoder | None,
    vocabulary: Vocabulary,
    u: float,
    options: StickyOptions,
    __: int,
    memory: Memory,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    available = round_trip_tokens(encoder.source)
    if options.tokens is not None:
        left_out = [i for i in options.tokens if i not in available]
        options = replace(options, tokens=tuple(i for i in options.tokens if i in available))
    else:
        left_out = []
    scoring, validating, remarks = pair_benches(encoder, options, u)
    result = run_published((scoring, validating), available, options, memory, progress)
    notes = [*remarks, *WEAKNESSES]
    if left_out:
        notes.insert(0, f"{len(left_out)} of the tokens asked for do not survive decoding and are left out: "
                     f"{', '.join(map(str, left_out[:20]))}.")  # fmt: skip
    if options.tokens is not None:
        notes.insert(0, "Only some tokens were asked for: shortlist and fence are shares of the whole "
                     "vocabulary, so there is no verdict; all of them were validated.")  # fmt: skip
    summary = {
        "available": len(available),
        **published_summary(result, (scoring, validating)),
        "notes": notes,
    }
    return published_columns(result, encoder.rows), summary


def _base_table(vocabulary: Vocabulary, rows: int) -> pd.DataFrame:
    """Return id, piece, text and category of every row."""
    return vocabulary.table()[["token_id", "piece", "text", "category"]].head(rows)


def _refuse_missing(inputs: Sequence[Path]) -> None:
    """Read the user's files once, before any work, for their error's sake."""
    from forensics.sources.text_files import read_bytes

    for path in inputs:
        read_bytes(path)
