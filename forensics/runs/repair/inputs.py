"""What a repair starts from: the model, its tokenizer, and a finished scan of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, OptionError
from forensics.progress import Progress
from forensics.repairing.scanned_matrix import agreement
from forensics.repairing.selection import Selection, select_rows
from forensics.report.results import Results, load_results
from forensics.runs.finished_scan import refuse_unanswerable, scanned_tokens
from forensics.runs.frame.outcome import RunSettings
from forensics.schema.repair import RepairOptions, SizesEntry
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Category
from forensics.sources.checkpoints.rewrite import TokenTensors, check_rewritable, token_tensors
from forensics.sources.interface import Checkpoint, TokenizerSource

__all__ = ["RepairInputs", "open_inputs"]

#: Share of rows that must have the numbers which the scan wrote down.
_SAME_ROWS = 0.99


@dataclass(frozen=True, eq=False)
class RepairInputs:
    """Everything that is open, and what follows from it without the model being run."""

    checkpoint: Checkpoint
    source: TokenizerSource
    tensors: TokenTensors
    scan: Results[ScanSummary]
    scan_folder: Path
    selection: Selection
    #: Rows that the mean is taken of: ordinary tokens that nothing speaks against, shape (V,).
    is_trained: npt.NDArray[np.bool_]
    #: The same with single bytes, of which a token may be made.
    can_be_part: npt.NDArray[np.bool_]
    sizes_before: SizesEntry
    sizes_after: SizesEntry
    notes: tuple[str, ...]

    @property
    def scan_files(self) -> frozenset[Path]:
        """The files of the scan that were read."""
        return frozenset(self.scan_folder / name for name in ("summary.json", "tokens.parquet"))


def open_inputs(
    model: str | Path,
    scan: str | Path,
    tokenizer: str | Path | None,
    options: RepairOptions,
    settings: RunSettings,
    progress: Progress,
) -> RepairInputs:
    """Open model and scan, and choose the rows.

    :raises BadInputError: If the model's rows cannot be written, the scan cannot tell which are untrained, or
        it was a scan of something else.
    """
    from forensics.sources import open_checkpoint, open_tokenizer

    with progress.stage("open"):
        checkpoint = open_checkpoint(model, offline=settings.offline, progress=progress)
        check_rewritable(checkpoint)
        source = open_tokenizer(tokenizer or checkpoint.path, offline=settings.offline, progress=progress)
        folder = Path(scan).expanduser()
        found = load_results(folder)
    by_weights = _refuse(found, folder, options)
    notes = [*checkpoint.notes, *_same_model(checkpoint, source, found, folder, options)]
    tensors = token_tensors(checkpoint)
    before = SizesEntry(
        config=checkpoint.config_vocab_size,
        embedding=checkpoint.embedding.shape[0],
        head=None if checkpoint.unembedding is None else checkpoint.unembedding.shape[0],
        bias=None if tensors.bias is None else max(tensors.bias.shape),
        tokenizer=len(source.pieces),
    )
    total = _rows_afterwards(options, before)
    if by_weights:
        notes.append("Nothing was verified: the rows are those that the weights alone point at.")
    unsuspicious = _unsuspicious(found)
    return RepairInputs(
        checkpoint=checkpoint,
        source=source,
        tensors=tensors,
        scan=found,
        scan_folder=folder,
        selection=_selection(found, options, total, before),
        is_trained=unsuspicious & np.asarray(found.ordinary),
        can_be_part=unsuspicious,
        sizes_before=before,
        sizes_after=_sizes_after(before, total),
        notes=tuple(notes),
    )


def _refuse(scan: Results[ScanSummary], folder: Path, options: RepairOptions) -> bool:
    """Refuse a scan that cannot tell; return whether its weights alone are to decide."""
    skipped = scan.summary.kind == "scan" and scan.summary.verification.skipped
    if skipped and options.force:
        return True
    if skipped:
        raise BadInputError(
            folder,
            f"nothing was verified ({skipped}), and what weights alone point at is often trained",
            "scan with `verify`, or insist with `force`",
        )
    refuse_unanswerable(scan, folder, "unknown")
    return False


def _same_model(
    checkpoint: Checkpoint,
    source: TokenizerSource,
    scan: Results[ScanSummary],
    folder: Path,
    options: RepairOptions,
) -> list[str]:
    """Refuse a scan of other rows or of another vocabulary; make a note of it where that is insisted on."""
    V = checkpoint.embedding.shape[0]
    if scan.summary.sizes.matrix != V:
        found = f"is a scan of {scan.summary.sizes.matrix:,} rows, and the model has {V:,}"
        raise BadInputError(folder, found, "name the model that was scanned")
    pieces = scan.tokens["piece"].fillna("").tolist()
    known = min(len(pieces), len(source.pieces))
    if [piece or "" for piece in source.pieces[:known]] != pieces[:known]:
        raise BadInputError(folder, "is a scan with another tokenizer", "name the model that was scanned")
    share = agreement(checkpoint.embedding, scan.tokens, scan.summary.reference.ids)
    if share is None or share >= _SAME_ROWS:
        return []
    found = f"only {share:.1%} of the rows have the numbers that the scan wrote down"
    if not options.force:
        remedy = "name the model that was scanned, scan this one, or insist with `force`"
        raise BadInputError(folder, found, remedy)
    return [f"The scan was of other weights: {found}."]


def _rows_afterwards(options: RepairOptions, before: SizesEntry) -> int:
    """Return how many rows the matrices are to have."""
    asked = options.resize_to
    if asked is None:
        return before.embedding
    if before.config is None:
        raise OptionError("resize_to", "config.json says no vocabulary size", "add it there first")
    if asked == "tokenizer":
        return -(-before.tokenizer // options.multiple_of) * options.multiple_of
    if not asked.isdecimal():
        raise OptionError("resize_to", f"found {asked!r}", "give a number of rows, or `tokenizer`")
    if int(asked) < before.tokenizer:
        found = f"{int(asked):,} rows for {before.tokenizer:,} entries of the tokenizer"
        raise OptionError("resize_to", found, "give at least as many")
    return int(asked)


def _sizes_after(before: SizesEntry, total: int) -> SizesEntry:
    changes = total != before.embedding
    return SizesEntry(
        config=total if changes else before.config,
        embedding=total,
        head=None if before.head is None else total,
        bias=None if before.bias is None else total,
        tokenizer=before.tokenizer,
    )


def _selection(
    scan: Results[ScanSummary], options: RepairOptions, total: int, before: SizesEntry
) -> Selection:
    """Return the rows that are replaced, and those that are added."""
    tokens = scan.tokens
    groups = np.full(len(tokens), -1, dtype=np.int64)
    if scan.has("duplicate_group"):
        groups[:] = tokens["duplicate_group"].astype("Int64").fillna(-1).to_numpy(dtype=np.int64)
    candidates = np.asarray(scan.where("is_candidate", True)) if scan.summary.verification.skipped else None
    chosen = select_rows(
        scanned_tokens(scan),
        groups,
        candidates,
        reserved=options.reserved,
        past_vocabulary=options.past_vocabulary,
        stay={
            *(each.token_id for each in scan.summary.special_tokens if each.roles),
            *(options.keep or ()),
        },
    )
    old = min(before.embedding, total)
    why = {row: word for row, word in chosen.why.items() if row < old}
    why |= {row: "missing" if row < before.tokenizer else "padding" for row in range(before.embedding, total)}
    return Selection(why, tuple(row for row in chosen.left if row < old))


def _unsuspicious(scan: Results[ScanSummary]) -> npt.NDArray[np.bool_]:
    """Return the entries of the vocabulary that nothing speaks against, shape (V,)."""
    suspicious = scan.verified | scan.where("is_candidate", True) | scan.where("is_reference", True)
    odd = scan.known("row_problem") | scan.where("category", Category.UNUSED_ROW)
    structural = scan.where("is_special", True) | scan.where("is_added", True) | scan.known("reserved")
    return np.asarray(~(suspicious | odd | structural))
