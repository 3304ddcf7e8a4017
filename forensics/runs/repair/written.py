"""Writing a repaired model, and reading it back to see that it is what was planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forensics.errors import BadInputError, ForensicsError
from forensics.progress import Progress
from forensics.runs.frame.result import Result
from forensics.runs.repair.inputs import RepairInputs
from forensics.runs.repair.plan import RepairPlan, plan_rows
from forensics.schema.repair import CopiedFileEntry, RepairSummary, SizesEntry, WrittenSummary
from forensics.sources.checkpoints.rewrite import token_tensors, write_copy

__all__ = ["MODEL_FOLDER", "write_repaired"]

#: Where the repaired model lies below the report's folder.
MODEL_FOLDER = "model"


def write_repaired(
    inputs: RepairInputs,
    result: Result[RepairSummary],
    folder: Path,
    command_line: Sequence[str] | None,
    progress: Progress,
) -> Result[RepairSummary]:
    """Write the model that the guard let pass, and return the result with what was written.

    :param inputs: What is open.
    :param result: The dry run, in `folder`.
    :param folder: Where the report lies.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the guard objects, with its numbers, or there is nothing to write.
    :raises OutputError: If it cannot be written.
    """
    summary = result.record
    target = folder / MODEL_FOLDER
    if summary.written is not None and target.is_dir():
        progress.note(f"{target} holds the repaired model already.")
        return result
    if summary.guard is None:
        raise BadInputError(inputs.scan_folder, "no row is to be replaced", "there is nothing to write")
    if summary.guard.objections:
        raise BadInputError(
            inputs.checkpoint.path,
            f"the guard refuses these rows: {'; '.join(summary.guard.objections)}",
            "nothing was written; choose another `method`, or leave rows out with `keep`",
        )
    with progress.stage("write model"):
        plan = plan_rows(inputs, summary.method)
        vocab_size = summary.sizes_after.config if summary.sizes_after != summary.sizes_before else None
        files = write_copy(inputs.checkpoint, target, plan.changes(inputs), vocab_size)
    with progress.stage("read back"):
        sizes = _read_back(target, plan, summary.sizes_after)
    written = WrittenSummary(
        MODEL_FOLDER,
        tuple(CopiedFileEntry(each.path, each.size, each.sha256, each.changed) for each in files),
        sizes,
    )
    seconds = {**summary.seconds, **{name: round(spent, 3) for name, spent in progress.seconds.items()}}
    manifest = result.manifest.copy()
    manifest["command_line"] = None if command_line is None else list(command_line)
    manifest["parameters"] = {**manifest.get("parameters", {}), "write": True}
    record = replace(summary, written=written, seconds=seconds)
    whole = Result(result.tables, record, manifest, folder)
    whole.save(folder)
    return whole


def _read_back(target: Path, plan: RepairPlan, planned: SizesEntry) -> SizesEntry:
    """Open what was written and compare sizes and rows with the plan."""
    from forensics.sources import open_checkpoint

    checkpoint = open_checkpoint(target, offline=True)
    bias = token_tensors(checkpoint).bias
    sizes = SizesEntry(
        config=checkpoint.config_vocab_size,
        embedding=checkpoint.embedding.shape[0],
        head=None if checkpoint.unembedding is None else checkpoint.unembedding.shape[0],
        bias=None if bias is None else max(bias.shape),
        tokenizer=planned.tokenizer,
    )
    same = sizes == planned and np.array_equal(checkpoint.embedding.gather(plan.ids), plan.embedding.rows)
    if plan.head is not None and checkpoint.unembedding is not None:
        same = same and np.array_equal(checkpoint.unembedding.gather(plan.ids), plan.head.rows)
    if not same:
        said = "what was written is not what was planned; take it away and report this"
        raise ForensicsError(f"{target}: {said}")
    return sizes
