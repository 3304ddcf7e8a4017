"""What the index says of one finished run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from forensics.catalogue.vocabularies import Beginnings, beginnings
from forensics.report.kinds import kind_of
from forensics.report.results import Results
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.finding import Level
from forensics.schema.index import RunEntry
from forensics.schema.scan import ScanSummary, VerificationSummary
from forensics.schema.sticky import StickySummary
from forensics.schema.tokens import TokensSummary
from forensics.schema.words import Category

__all__ = ["run_entry", "vocabulary_of"]


class _Prompted(TypedDict, total=False):
    """The fields of `RunEntry` that only prompting fills."""

    verified: int
    unknown_in_text: int | None
    estimate_total: float | None
    estimate_low: float | None
    estimate_high: float | None
    tested: int
    strong: int
    weak: int
    inconclusive: int
    rejected: int
    not_verified_because: str


def run_entry(results: Results[Any], folder: Path, root: Path) -> RunEntry:
    """Return the entry of a run.

    :param results: The run.
    :param folder: Where it lies.
    :param root: The folder that is indexed, above it.
    """
    kind = kind_of(results.summary.kind)
    levels = Counter(finding.level for finding in kind.findings(results))
    place = folder.relative_to(root)
    report = folder / "report.html"
    prompted = _Prompted()
    if isinstance(results.summary, ScanSummary):
        prompted = _prompted(results.summary.verification)
    return RunEntry(
        folder=place.as_posix(),
        command=kind.name,
        model=results.summary.model,
        tokens=_size(results.summary),
        errors=levels[Level.ERROR],
        warnings=levels[Level.WARNING],
        notes=levels[Level.NOTE],
        numbers=_numbers(results),
        version=results.manifest.get("versions", {}).get("forensics"),
        written=_written(folder / "summary.json"),
        report=(place / report.name).as_posix() if report.exists() else None,
        **prompted,
    )


def vocabulary_of(results: Results[Any]) -> Beginnings | None:
    """Return the vocabulary of a run whose table of tokens has the bytes of every piece, None of others."""
    if not isinstance(results.summary, ScanSummary | TokensSummary):
        return None
    return beginnings(_pieces(results))


def _pieces(results: Results[Any]) -> Iterator[bytes]:
    """Yield the pieces by id, those without bytes as they are spelt; rows past the vocabulary left out."""
    rows = results.tokens[~results.where("category", Category.UNUSED_ROW)]
    for raw, piece in zip(rows["bytes"], rows["piece"], strict=True):
        yield raw if isinstance(raw, bytes) else str(piece).encode("utf-8", "surrogatepass")


def _prompted(found: VerificationSummary) -> _Prompted:
    if found.skipped is not None:
        return {"not_verified_because": found.skipped}
    low, high = found.interval or (None, None)
    return {
        "verified": found.verified,
        "unknown_in_text": found.unknown_in_text,
        "estimate_total": found.estimate_total,
        "estimate_low": low,
        "estimate_high": high,
        "tested": found.tested,
        "strong": found.strong,
        "weak": found.weak,
        "inconclusive": found.inconclusive,
        "rejected": found.rejected,
    }


def _size(summary: object) -> int | None:
    if isinstance(summary, ScanSummary | TokensSummary | AuditSummary | StickySummary):
        return summary.tokenizer.vocab_size
    return None


def _numbers(results: Results[Any]) -> Mapping[str, float | None]:
    """Return the numbers of the command, those of its findings left out; NaN is none."""
    values = {each.name: each.value(results) for each in kind_of(results.summary.kind).own_numbers}
    return {name: value if value == value else None for name, value in values.items()}


def _written(path: Path) -> str:
    """Return the time of a file, to the second; a manifest has none, so that equal runs are equal bytes."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
