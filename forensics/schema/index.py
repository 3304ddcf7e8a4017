"""`index`: what is said of every finished run under a folder, and of what is no finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forensics.schema.columns import Column, TableSchema

__all__ = [
    "LEFT_OUT_TABLE",
    "RUNS_TABLE",
    "IndexOptions",
    "IndexSummary",
    "LeftOutEntry",
    "RunEntry",
    "VocabularyEntry",
]

#: One row per finished run, the fields of `RunEntry`.
RUNS_TABLE = TableSchema(
    "runs",
    (
        Column("folder", "string", "where the run lies, from the folder that is indexed; `.` is that folder"),
        Column("command", "string", "what was run"),
        Column("model", "string", "the name of what was examined"),
        Column("tokens", "int64", "entries of the tokenizer; null where the command does not tell"),
        Column("verified", "int64", "verified tokens; null where nothing was put to the model"),
        Column("unknown_in_text", "int64", "of these those that ordinary text does not clear; null likewise"),
        Column("estimate_total", "double", "how many ordinary tokens verify in all; null likewise"),
        Column("estimate_low", "double", "lower end of its 95 % interval"),
        Column("estimate_high", "double", "upper end"),
        Column("tested", "int64", "tokens put to the model; null likewise"),
        Column("strong", "int64", "of these strongly verified"),
        Column("weak", "int64", "of these weakly verified"),
        Column("inconclusive", "int64", "of these inconclusive"),
        Column("rejected", "int64", "of these rejected"),
        Column("not_verified_because", "string", "why a scan put nothing to the model; null for others"),
        Column("errors", "int64", "findings of this level"),
        Column("warnings", "int64", "findings of this level"),
        Column("notes", "int64", "findings of this level"),
        Column("numbers", "string", "JSON: the numbers of the command that `--fail-on` can ask for"),
        Column("vocabulary", "int32", "number of the vocabulary (`index.json`); null where no table has it"),
        Column("version", "string", "of forensics"),
        Column("written", "string", "when summary.json was written, UTC, by the file's own time"),
        Column("report", "string", "the report, from the folder that is indexed; null where there is none"),
    ),
    key=("folder",),
)
#: One row per folder of a run that is damaged or was never finished.
LEFT_OUT_TABLE = TableSchema(
    "left_out",
    (
        Column("folder", "string", "where it lies, from the folder that is indexed"),
        Column("reason", "string", "what is wrong with it"),
    ),
    key=("folder",),
)


@dataclass(frozen=True)
class IndexOptions:
    """`index` has no options of its own."""


@dataclass(frozen=True)
class RunEntry:
    """One finished run; `RUNS_TABLE` has what each field means."""

    folder: str
    command: str
    model: str
    tokens: int | None = None
    verified: int | None = None
    unknown_in_text: int | None = None
    estimate_total: float | None = None
    estimate_low: float | None = None
    estimate_high: float | None = None
    tested: int | None = None
    strong: int | None = None
    weak: int | None = None
    inconclusive: int | None = None
    rejected: int | None = None
    not_verified_because: str | None = None
    errors: int = 0
    warnings: int = 0
    notes: int = 0
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    vocabulary: int | None = None
    version: str | None = None
    written: str | None = None
    report: str | None = None


@dataclass(frozen=True)
class LeftOutEntry:
    """One folder that holds no finished run, and why."""

    folder: str
    reason: str


@dataclass(frozen=True)
class VocabularyEntry:
    """A vocabulary that at least one of the runs has."""

    number: int
    #: Its pieces, rows past them left out.
    pieces: int
    #: The runs that have it, id for id.
    folders: tuple[str, ...]
    #: The longest other vocabulary that it begins with, if that is at least half of it.
    begins_with: int | None = None
    #: How many pieces it has beyond that one.
    more: int | None = None


@dataclass(frozen=True)
class IndexSummary:
    """`summary.json` of `index`."""

    kind: str
    #: The name of the folder that is indexed.
    model: str
    #: The way from the index to that folder.
    root: str
    #: Command -> finished runs.
    commands: Mapping[str, int]
    #: Verdict -> tokens, over all scans that put tokens to a model.
    verdicts: Mapping[str, int]
    runs: tuple[RunEntry, ...]
    left_out: tuple[LeftOutEntry, ...]
    vocabularies: tuple[VocabularyEntry, ...]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    peak_rss_bytes: int
