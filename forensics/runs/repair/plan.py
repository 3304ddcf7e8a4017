"""The new rows of every stored tensor, in the numbers in which they will be read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix
from forensics.repairing.neutral_rows import mean_row, new_rows, row_norms
from forensics.repairing.parts import longest_parts, spellings
from forensics.runs.repair.inputs import RepairInputs
from forensics.schema.repair import MatrixEntry
from forensics.sources.interface import TensorInfo, Tying
from forensics.sources.runtimes.replaced_rows import TokenRows
from forensics.sources.tensors.safetensors_rewrite import RowChange, as_stored
from forensics.vocabulary.spelling import token_bytes

__all__ = ["RepairPlan", "plan_rows"]


@dataclass(frozen=True, eq=False)
class RepairPlan:
    """What is to be written."""

    #: Rows that change or are new, ascending, shape (n,).
    ids: npt.NDArray[np.int64]
    #: Row -> the tokens whose mean it gets; only for `parts`.
    parts: Mapping[int, tuple[int, ...]]
    #: Bytes of every token.
    bytes_of: tuple[bytes | None, ...]
    embedding: RowChange
    head: RowChange | None
    bias: RowChange | None
    matrices: tuple[MatrixEntry, ...]
    #: Norms of all rows as they are, shape (V,); of the head where it is a matrix of its own.
    norms: npt.NDArray[np.float64]
    head_norms: npt.NDArray[np.float64] | None

    @property
    def rows(self) -> TokenRows:
        """The same for a loaded model."""
        return TokenRows(self.embedding, self.head, self.bias)

    def changes(self, inputs: RepairInputs) -> dict[str, RowChange]:
        """Return tensor name -> its rows, for what is stored."""
        of_role = zip(
            (inputs.tensors.embedding, inputs.tensors.head, inputs.tensors.bias),
            (self.embedding, self.head, self.bias),
            strict=True,
        )
        return {info.name: change for info, change in of_role if info is not None and change is not None}


def plan_rows(inputs: RepairInputs, method: str) -> RepairPlan:
    """Return the new rows.

    :param inputs: What is open.
    :param method: `mean`, `parts` or `zero`, for the embedding; a head of its own gets the mean.
    :raises BadInputError: If no row is well-trained, so that there is no mean.
    """
    checkpoint, tensors = inputs.checkpoint, inputs.tensors
    ids = np.array(sorted(inputs.selection.why), dtype=np.int64)
    trained = np.flatnonzero(inputs.is_trained)
    if len(trained) == 0:
        raise BadInputError(inputs.scan_folder, "no row counts as well-trained", "scan the whole vocabulary")
    bytes_of = token_bytes(inputs.source)
    parts = _parts(ids, bytes_of, np.flatnonzero(inputs.can_be_part)) if method == "parts" else {}
    entries: list[MatrixEntry] = []

    def change(matrix: RowMatrix, info: TensorInfo, role: str, by: str) -> RowChange:
        rows = new_rows(by, matrix, ids.tolist(), mean_row(matrix, inputs.is_trained), parts)
        stored = as_stored(rows, info.dtype)
        old = matrix.gather(ids[ids < matrix.shape[0]])
        entries.append(
            MatrixEntry(
                tensor=info.name,
                role=role,
                dtype=info.dtype,
                method=by,
                rows=len(ids),
                trained=len(trained),
                mean_norm_before=_mean_norm(old),
                mean_norm_after=_mean_norm(stored),
            )
        )
        return RowChange(ids, stored, inputs.sizes_after.embedding)

    embedding = change(checkpoint.embedding, tensors.embedding, "embedding", method)
    head, head_norms = None, None
    if checkpoint.unembedding is not None and tensors.head is not None:
        own = checkpoint.tying is Tying.UNTIED
        head = change(checkpoint.unembedding, tensors.head, "head", "mean" if own else method)
        head_norms = row_norms(checkpoint.unembedding) if own else None
    bias = _bias_change(inputs, ids, entries)
    norms = row_norms(checkpoint.embedding)
    return RepairPlan(ids, parts, bytes_of, embedding, head, bias, tuple(entries), norms, head_norms)


def _parts(
    ids: npt.NDArray[np.int64], bytes_of: tuple[bytes | None, ...], usable: npt.NDArray[np.int64]
) -> dict[int, tuple[int, ...]]:
    """Return the parts of every row that has bytes and can be split."""
    known = spellings(bytes_of, usable.tolist())
    spelt = {row: bytes_of[row] for row in ids.tolist() if row < len(bytes_of)}
    split = {row: longest_parts(data, known) for row, data in spelt.items() if data}
    return {row: parts for row, parts in split.items() if parts}


def _bias_change(
    inputs: RepairInputs, ids: npt.NDArray[np.int64], entries: list[MatrixEntry]
) -> RowChange | None:
    """Return the least bias that a well-trained token has, for every row."""
    bias, info = inputs.checkpoint.head_bias, inputs.tensors.bias
    if bias is None or info is None:
        return None
    trained = bias[inputs.is_trained[: len(bias)]]
    rows = as_stored(np.full((len(ids), 1), trained.min(), dtype=np.float32), info.dtype)
    old = bias[ids[ids < len(bias)], None]
    entries.append(
        MatrixEntry(
            tensor=info.name,
            role="bias",
            dtype=info.dtype,
            method="minimum",
            rows=len(ids),
            trained=len(trained),
            mean_norm_before=_mean_norm(old),
            mean_norm_after=_mean_norm(rows),
        )
    )
    return RowChange(ids, rows, inputs.sizes_after.embedding)


def _mean_norm(rows: npt.NDArray[np.float32]) -> float | None:
    """Return the mean norm of rows, None without any."""
    return float(np.linalg.norm(rows.astype(np.float64), axis=1).mean()) if len(rows) else None
