"""What a reader of a scan should know besides its numbers."""

from __future__ import annotations

from forensics.runs.scan.examined import Examined
from forensics.runs.scan.verify import Verification

__all__ = ["scan_notes"]


def scan_notes(examined: Examined, verification: Verification) -> tuple[str, ...]:
    """Return the remarks of the sources, on the matrices, and of the verification."""
    checkpoint, source, findings = examined.checkpoint, examined.source, examined.findings
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
        said = "zero or as good as zero" if problem == "zero" else f"not finite: {problem}"
        notes.append(f"{count} rows of E_in are {said}.")
    if findings.identical.count and not checkpoint.embedding.dtype.startswith(("F", "BF")):
        notes.append(
            f"The matrix is stored as {checkpoint.embedding.dtype}: rounding can make rows equal that "
            "training had told slightly apart."
        )
    return (*notes, *findings.notes, *verification.notes)
