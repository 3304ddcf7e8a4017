"""`repair`: what its files hold and what it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.columns import Column, TableSchema
from forensics.schema.options import Range, option

__all__ = [
    "METHODS", "ROWS_TABLE", "CopiedFileEntry", "GuardKind", "GuardSummary", "MatrixEntry", "NormHistogram",
    "RepairOptions", "RepairSummary", "SizesEntry", "WrittenSummary",
]  # fmt: skip

#: What can stand in place of an untrained row.
METHODS = ("mean", "parts", "zero")

#: One row per row that is replaced or added.
ROWS_TABLE = TableSchema(
    "rows",
    (
        Column("token_id", "int32", "row of the matrix, id of the tokenizer"),
        Column("piece", "string", "the entry as stored; empty for a row without one"),
        Column("text", "string", "the text; null where the bytes are no text by themselves"),
        Column("bytes", "binary", "the exact bytes; null for a row without a piece"),
        Column(
            "why",
            "string",
            "`verified`, `identical row` (to a verified one), `candidate` (by its weights alone), "
            "`reserved`, `past vocabulary`, `missing` (an entry without a row) or `padding`",
        ),
        Column("duplicate_group", "int32", "number of the group of rows equal bit for bit; null for others"),
        Column("parts", "string", "JSON ids whose mean was taken; null for another method"),
        Column("ein_norm_before", "float", "norm of the embedding row; null for one that was not there"),
        Column("ein_norm_after", "float", "norm of what stands there afterwards"),
        Column("eout_norm_before", "float", "the same for the head, where it is a matrix of its own"),
        Column("eout_norm_after", "float", "the same for the head afterwards"),
        Column("mean_p_before", "float", "mean probability over the guard's text; null for a new row"),
        Column("mean_p_after", "float", "the same with the new rows in the model"),
        Column("max_p_before", "float", "largest probability at any position of that text"),
        Column("max_p_after", "float", "the same with the new rows in the model"),
    ),
    key=("token_id",),
)


@dataclass(frozen=True)
class RepairOptions:
    """What `repair` can be asked for."""

    write: bool = option(
        False, "Write the repaired model; without it nothing but the report is written.", moves=False
    )
    method: str = option(
        "mean",
        "What stands in place of a row: the mean of well-trained rows (neutral), the mean of the token's "
        "longest parts (it means something at once), or zero.",
        choices=METHODS,
    )
    resize_to: str | None = option(
        None,
        "Rows afterwards: a number, or `tokenizer` for its size padded by `multiple_of`.",
        metavar="N|tokenizer",
    )
    multiple_of: int = option(
        64, "What `resize_to=tokenizer` pads to a multiple of.", metavar="N", range=Range(1, 65536)
    )
    reserved: bool = option(False, "Replace the rows of entries that a file declares reserved, too.")
    past_vocabulary: bool = option(False, "Replace rows past the tokenizer's vocabulary, too.")
    keep: tuple[int, ...] | None = option(
        None, "Never replace these, e.g. 177-187,50256.", metavar="IDS", ids=True
    )
    corpora: tuple[str, ...] = option(
        (),
        "Ordinary text for the guard; one file or folder per kind, or `demo`.",
        metavar="DIR",
        multiple=True,
        path=True,
        default_text="text that comes with the package",
    )
    force: bool = option(
        False,
        "Take rows that only the weights of an unverified scan point at, or those of a scan of other "
        "weights. The guard stays.",
    )
    device: str = option("auto", "Where the model runs: cpu, cuda, mps.")
    dtype: str = option("auto", "What it computes in: float32, bfloat16, float16.")
    threads: int | None = option(
        None, "Processor threads.", metavar="N", range=Range(1), moves=False, default_text="all cores"
    )


@dataclass(frozen=True)
class MatrixEntry:
    """One stored tensor with a row per token."""

    tensor: str
    #: `embedding`, `head` or `bias`.
    role: str
    dtype: str
    #: `mean`, `parts`, `zero`, or `minimum` for a bias.
    method: str
    #: Rows that change or are new.
    rows: int
    #: Well-trained rows that the mean, or the minimum, was taken of.
    trained: int
    mean_norm_before: float | None
    mean_norm_after: float | None


@dataclass(frozen=True)
class SizesEntry:
    """The sizes that should agree; None for what is not there."""

    config: int | None
    embedding: int
    head: int | None
    bias: int | None
    tokenizer: int


@dataclass(frozen=True)
class GuardKind:
    """What the guard measured on one kind of text."""

    kind: str
    #: Tokens predicted.
    tokens: int
    perplexity_before: float
    perplexity_after: float


@dataclass(frozen=True)
class GuardSummary:
    """What the model does on ordinary text, untouched and with the new rows in it."""

    kinds: tuple[GuardKind, ...]
    tokens: int
    perplexity_before: float
    perplexity_after: float
    #: Probability on all the rows together, a mean over positions.
    mass_before: float
    mass_after: float
    #: Positions at which one of them is the likeliest token.
    argmax_before: int
    argmax_after: int
    #: Limits: relative rise of the perplexity, mass, positions.
    limit_rise: float
    limit_mass: float
    limit_argmax: int
    #: What exceeds a limit, in words with the numbers; empty: nothing does.
    objections: tuple[str, ...]

    @property
    def rise(self) -> float:
        """Relative rise of the perplexity."""
        return self.perplexity_after / self.perplexity_before - 1


@dataclass(frozen=True)
class NormHistogram:
    """Norms of all embedding rows before the repair."""

    #: One more than `counts`.
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float


@dataclass(frozen=True)
class CopiedFileEntry:
    """One file of the repaired model."""

    #: Relative to the model's folder.
    path: str
    size: int
    sha256: str
    #: Whether it differs from the original.
    changed: bool


@dataclass(frozen=True)
class WrittenSummary:
    """The repaired model on the disk."""

    #: Relative to the report's folder.
    folder: str
    files: tuple[CopiedFileEntry, ...]
    #: As read back from what was written.
    sizes: SizesEntry


@dataclass(frozen=True)
class RepairSummary:
    """`summary.json` of `repair`, also written as `repair.json`."""

    kind: str
    #: The name of the model examined.
    model: str
    #: The name of the model that the scan examined.
    scanned: str
    method: str
    #: Ids of the rows that change or are new.
    ids: tuple[int, ...]
    #: Why -> rows.
    by_why: Mapping[str, int]
    #: Rows of those groups that are special or have a role, and so stay as they are.
    left_special: tuple[int, ...]
    #: How the head relates to the embedding: `tied`, `tied_stored_twice`, `nearly_tied` or `untied`.
    tying: str
    matrices: tuple[MatrixEntry, ...]
    sizes_before: SizesEntry
    #: As planned.
    sizes_after: SizesEntry
    #: None where no row is to change.
    guard: GuardSummary | None
    norms: NormHistogram
    #: Weights in other formats beside the safetensors files, which keep the old rows.
    other_weights: tuple[str, ...]
    #: None until it is written.
    written: WrittenSummary | None
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
