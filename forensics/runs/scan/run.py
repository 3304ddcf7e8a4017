"""`scan`: which tokens of a checkpoint are under-trained, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.folder import finished_run
from forensics.runs.frame.journal import Journal, fingerprint
from forensics.runs.frame.manifest import build_manifest, hash_files
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.runs.frame.result import RunResult
from forensics.runs.scan.summary import is_tied, scan_summary
from forensics.runs.scan.table import scan_table
from forensics.runs.scan.verify import Verification, VerifyOptions, verify_findings
from forensics.sources.interface import Checkpoint, TokenizerSource, Tying
from forensics.undertrained.weights import Matrices, WeightFindings, analyse_weights
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.eligible import eligible_tokens, reference_evidence
from forensics.vocabulary.special import special_findings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["scan"]

_JOURNAL = "verification.jsonl"


def scan(
    model: str | Path,
    *,
    tokenizer: str | Path | None = None,
    verify: bool | None = None,
    candidates: float = 2.0,
    max_candidates: int | None = None,
    audit_sample: int = 100,
    tokens: Sequence[int] | None = None,
    reference: Sequence[int] | None = None,
    indicator: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
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
) -> RunResult:
    """Return which tokens of `model` are under-trained (Land and Bartolo 2024, arXiv 2405.05417).

    >>> import forensics as fx                                       # doctest: +SKIP
    >>> fx.scan("demo").tokens.query("verdict == 'verified_strong'")  # doctest: +SKIP

    :param model: A folder, a file, a hub id or `demo`.
    :param tokenizer: Where the tokenizer is, if not with the model.
    :param verify: Whether to put tokens to the model; None: if it can be run.
    :param candidates: The least share of eligible tokens that is verified, in percent.
    :param max_candidates: Most tokens of the ranking gone through one by one; None: 4,000.
    :param audit_sample: Random tokens outside the candidates that are verified.
    :param tokens: Verify just these.
    :param reference: Reference tokens; found from evidence if None.
    :param indicator: Column to rank by; chosen if None.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
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
    from forensics.sources import open_checkpoint, open_tokenizer

    progress = progress or Progress()
    if not 0 < candidates <= 100:
        raise BadInputError(
            "--candidates", f"found {candidates}", "give a share in percent, above 0 up to 100"
        )
    with progress.stage("open"):
        checkpoint = open_checkpoint(model, offline=offline, progress=progress)
        source = open_tokenizer(model if tokenizer is None else tokenizer, offline=offline, progress=progress)
    rows = checkpoint.embedding.shape[0]
    _check_ids("--tokens", tokens, rows)
    _check_ids("--reference", reference, rows)
    options = VerifyOptions(
        max_candidates=max_candidates,
        audit_sample=audit_sample,
        tokens=None if tokens is None else tuple(int(i) for i in tokens),
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        threads=threads,
        trust_remote_code=trust_remote_code,
    )
    parameters = {
        **asdict(options),
        "verify": verify,
        "candidates": candidates,
        "reference": None if reference is None else [int(i) for i in reference],
        "indicator": indicator,
    }
    files = hash_files([*checkpoint.files, *source.files], progress=progress)
    run = _fingerprint(files, seed, parameters)
    folder = None if out is None else Path(out)
    if folder is not None and not overwrite and (finished := finished_run(folder, run)) is not None:
        progress.note(f"{folder} holds this run already; --overwrite computes it again.")
        return finished

    rng = np.random.default_rng(seed)
    with progress.stage("vocabulary"):
        vocabulary = build_vocabulary(source, rows, progress)
    eligible = eligible_tokens(vocabulary, rows)
    findings = _weights(
        checkpoint, source, vocabulary, eligible, candidates, reference, indicator, rng, progress
    )
    verification = Verification(None, skipped="it was switched off with --no-verify")
    if verify is not False:
        verification = verify_findings(
            checkpoint,
            source,
            vocabulary,
            findings,
            _ranking(findings, eligible),
            options,
            rng,
            required=verify is True,
            open_journal=lambda: None if folder is None else Journal(folder / _JOURNAL, run, resume=resume),
            progress=progress,
        )
    table = scan_table(vocabulary, findings, verification.result)
    summary = scan_summary(checkpoint, source, vocabulary, findings, eligible, candidates, verification)
    summary |= _special_tokens(source, vocabulary, verification)
    summary["notes"] = _notes(checkpoint, source, findings, verification)
    manifest = build_manifest(
        files, command_line=command_line, seed=seed, parameters=parameters, fingerprint=run
    )
    summary["seconds"] = {name: round(seconds, 3) for name, seconds in progress.seconds.items()}
    summary["peak_rss_bytes"] = peak_rss_bytes()
    result = RunResult(table, summary, manifest, folder)
    if folder is not None:
        with progress.stage("write report"):
            result.save(folder)
        (folder / _JOURNAL).unlink(missing_ok=True)
    return result


def _weights(
    checkpoint: Checkpoint,
    source: TokenizerSource,
    vocabulary: Vocabulary,
    eligible: npt.NDArray[np.bool_],
    percent: float,
    reference: Sequence[int] | None,
    indicator: str | None,
    rng: np.random.Generator,
    progress: Progress,
) -> WeightFindings:
    E_in = checkpoint.embedding
    E_out = None if checkpoint.tying is Tying.NO_HEAD else checkpoint.unembedding
    if is_tied(checkpoint):
        E_out = E_in
    try:
        return analyse_weights(
            Matrices(E_in, E_out, checkpoint.head_bias),
            evidence=reference_evidence(vocabulary, E_in.shape[0]),
            eligible=eligible,
            vocabulary_size=len(source.pieces),
            rng=rng,
            percent=percent,
            reference_ids=reference,
            indicator=indicator,
            progress=progress,
        )
    except ValueError as error:
        if indicator is None:
            raise
        raise BadInputError(
            "--indicator", str(error), "name one of those, or leave the choice to the scan"
        ) from error


def _ranking(findings: WeightFindings, eligible: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the eligible tokens that speak for themselves, most suspicious first."""
    ids = np.flatnonzero(eligible & findings.is_representative)
    return ids[np.argsort(findings.ranks[ids], kind="stable")]


def _special_tokens(
    source: TokenizerSource, vocabulary: Vocabulary, verification: Verification
) -> dict[str, Any]:
    """Return `special_tokens`, with whether each is trained, and `role_agreement`."""
    found = special_findings(source, vocabulary).as_dict()
    evidence = {} if verification.result is None else verification.result.evidence
    for token in found["special_tokens"]:
        verdict = evidence.get(token["token_id"])
        token["trained"] = None if verdict is None else verdict.verdict.value
    return found


def _notes(
    checkpoint: Checkpoint, source: TokenizerSource, findings: WeightFindings, verification: Verification
) -> list[str]:
    notes = [*checkpoint.notes, *source.notes]
    rows, size = checkpoint.embedding.shape[0], len(source.pieces)
    if size > rows:
        notes.append(
            f"The tokenizer has {size - rows} ids that the matrix has no row for ({rows} to {size - 1}): "
            "text that encodes to one of them crashes the model."
        )
    head = checkpoint.unembedding
    if head is not None and head.shape[0] != rows:
        notes.append(
            f"E_in has {rows} rows and E_out {head.shape[0]}; rows that E_out lacks have no E_out value."
        )
    for problem, count in findings.statistics.problem_counts().items():
        notes.append(
            f"{count} rows of E_in are {'all zero' if problem == 'zero' else 'not finite: ' + problem}."
        )
    if findings.identical.count and not checkpoint.embedding.dtype.startswith(("F", "BF")):
        notes.append(
            f"The matrix is stored as {checkpoint.embedding.dtype}: rounding can make rows equal that "
            "training had told slightly apart."
        )
    return [*notes, *verification.notes]


def _check_ids(option: str, ids: Sequence[int] | None, rows: int) -> None:
    outside = [i for i in ids or () if not 0 <= i < rows]
    if ids is not None and len(ids) == 0:
        raise BadInputError(option, "names no token", "give at least one id")
    if outside:
        raise BadInputError(
            option, f"{outside[0]} is no row of the matrix ({rows} rows)", f"give ids from 0 to {rows - 1}"
        )


def _fingerprint(files: Sequence[dict[str, Any]], seed: int, parameters: dict[str, Any]) -> str:
    """Return the hash of everything the results depend on; where files lie is not part of it."""
    import forensics

    contents = sorted((Path(f["path"]).name, f["sha256"]) for f in files)
    # A run may be continued with another number of threads, which moves a probability's last digits only.
    chosen = {name: value for name, value in parameters.items() if name != "threads"}
    return fingerprint({"files": contents, "seed": seed, "version": forensics.__version__, **chosen})
