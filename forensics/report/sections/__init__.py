"""The sections of a report, one concern each, built from a run's tables."""

from __future__ import annotations

from forensics.report.blocks import Document
from forensics.report.headline import headline, tiles
from forensics.report.results import Results
from forensics.report.sections.breakdown import breakdown
from forensics.report.sections.duplicates import duplicates
from forensics.report.sections.indicators import indicators, references
from forensics.report.sections.merges import merges
from forensics.report.sections.model import model
from forensics.report.sections.odd_tokens import byte_tokens, partial_utf8, unreachable
from forensics.report.sections.run import notes, provenance
from forensics.report.sections.special import special
from forensics.report.sections.verification import verification
from forensics.report.sections.verified import candidates, verified_tokens

__all__ = ["build_document"]

#: In reading order: the finding, how it was found, where it lies, what else is odd, provenance.
_SECTIONS = (
    verification,
    verified_tokens,
    candidates,
    indicators,
    references,
    model,
    breakdown,
    special,
    byte_tokens,
    partial_utf8,
    unreachable,
    duplicates,
    merges,
    notes,
    provenance,
)


def build_document(results: Results) -> Document:
    """Return the report of a run; sections that have nothing to say are left out."""
    import forensics

    built = [section for make in _SECTIONS if (section := make(results)) is not None]
    kind = "vocabulary" if results.get("kind") == "tokens" else "under-trained tokens"
    return Document(
        title=f"{_name(results)}: {kind}",
        subtitle=_subtitle(results),
        headline=headline(results),
        tiles=tiles(results),
        sections=tuple(built),
        made_by=f"forensics {results.manifest.get('versions', {}).get('forensics', forensics.__version__)}",
    )


def _name(results: Results) -> str:
    """Return the short name of what was examined."""
    for key in ("name", "model.name", "model", "tokenizer.name", "tokenizer.path"):
        value = results.get(key)
        if isinstance(value, str) and value:
            return value.rstrip("/").rsplit("/", 1)[-1]
    return "tokenizer" if results.get("kind") == "tokens" else "model"


def _subtitle(results: Results) -> str:
    """Return what was examined in one line."""
    parts = []
    shape = results.get("embedding.shape")
    if shape:
        parts.append(
            f"{' × '.join(f'{side:,}' for side in shape)} {results.get('embedding.dtype', '')}".strip()
        )
    kind = results.get("tokenizer.type")
    if kind:
        parts.append(f"{kind} tokenizer of {results.get('tokenizer.vocab_size', 0):,} entries")
    return ", ".join(parts)
