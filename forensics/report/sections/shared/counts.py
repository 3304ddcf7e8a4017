"""The counts of a vocabulary: beside the headline, in brief, and for the gate."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Fact, GateNumber
from forensics.report.results import Results
from forensics.schema.scan import ScanSummary
from forensics.schema.tokenizer import TokenizerFacts, VocabularyCounts
from forensics.schema.tokens import TokensSummary

__all__ = ["COUNTS", "count_tiles", "counted", "tokenizer_line"]

#: Every count, as a number that the gate can ask for.
COUNTS: tuple[GateNumber[ScanSummary | TokensSummary], ...] = tuple(
    GateNumber(each.name, attrgetter(f"summary.counts.{each.name}")) for each in fields(VocabularyCounts)
)


def count_tiles(results: Results[ScanSummary | TokensSummary]) -> tuple[Tile, ...]:
    """Return the tokens that no text gives, and those that are no text by themselves."""
    counts, of = results.summary.counts, f"of {len(results.tokens):,} rows"
    return (
        Tile("unreachable", f"{counts.unreachable:,}", of),
        Tile("partial UTF-8", f"{counts.partial_utf8:,}", of),
    )


def counted(counts: VocabularyCounts) -> tuple[Fact, ...]:
    """Return the counts that are not zero, on one line."""
    named = (
        (counts.single_byte, "single bytes"),
        (counts.partial_utf8, "partial UTF-8"),
        (counts.unreachable, "unreachable"),
        (counts.special, "special"),
        (counts.unused_row, "rows past the vocabulary"),
    )
    shown = ", ".join(f"{count:,} {name}" for count, name in named if count)
    return (Fact("vocabulary", shown),) if shown else ()


def tokenizer_line(facts: TokenizerFacts) -> str:
    """Return a tokenizer in half a line."""
    return f"{facts.type} tokenizer of {facts.vocab_size:,} entries"
