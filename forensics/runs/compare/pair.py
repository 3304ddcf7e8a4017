"""A and one other: every analysis that applies to the two, as one record with its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forensics.auditing.template_difference import compare_templates
from forensics.comparison.fields import compare_added_tokens, compare_fields
from forensics.comparison.gguf_parity import PROBES, first_difference
from forensics.comparison.lineage import lineage
from forensics.comparison.merge_order import MergeOrder, compare_merges, compare_scores, merges_in_bytes
from forensics.comparison.scans import ScanDifference, Standing, compare_scans
from forensics.comparison.vocabularies import VocabularyDifference, compare_vocabularies
from forensics.progress import Progress
from forensics.runs.compare.lengths import LineLengths, compare_lengths
from forensics.runs.compare.sides import OpenScan, OpenTokenizer, Side
from forensics.runs.compare.tables import piece_tables, scan_tables
from forensics.runs.compare.weights import compare_weights
from forensics.schema.compare import (
    CompareOptions,
    IndependenceTest,
    OrderSummary,
    PairSummary,
    PieceCounts,
    ProbeEntry,
    ScanPairSummary,
    Signals,
    TemplateDifference,
    TemplateRelation,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ComparedPair", "scan_pair", "tokenizer_pair"]

#: Share of the smaller list of pieces that a conversion has in common with its original, damaged or not.
LEAST_SHARED = 0.5


@dataclass(frozen=True, eq=False)
class ComparedPair:
    """What is known of two sides."""

    summary: PairSummary
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def scan_pair(a: Side, b: Side) -> ComparedPair:
    """Return which tokens two scans verify."""
    if not isinstance(a.opened, OpenScan) or not isinstance(b.opened, OpenScan):
        raise TypeError("both sides must be scans")
    found = compare_scans(a.opened.tokens, b.opened.tokens)
    return ComparedPair(PairSummary(other=b.letter, scans=_scans(found)), scan_tables(b.letter, found))


def _scans(found: ScanDifference) -> ScanPairSummary:
    here = Standing.VERIFIED
    only_a = {str(b): count for (a, b), count in found.counts.items() if a is here and b is not here}
    only_b = {str(a): count for (a, b), count in found.counts.items() if b is here and a is not here}
    both = found.counts.get((here, here), 0)
    return ScanPairSummary(both + sum(only_a.values()), both + sum(only_b.values()), both, only_a, only_b)


def tokenizer_pair(
    a: Side,
    b: Side,
    lengths: tuple[Mapping[str, LineLengths], Mapping[str, LineLengths]],
    options: CompareOptions,
    progress: Progress,
) -> ComparedPair:
    """Return in what two tokenizers, and their weights where both have some, differ.

    :param a: A.
    :param b: The other.
    :param lengths: Language -> its lines, in A and in the other.
    :param options: What was asked for.
    :param progress: Where to report to.
    """
    one, other = a.tokenizer, b.tokenizer
    with progress.stage("pieces and merges"):
        pieces = compare_vocabularies(one, other)
        merges = compare_merges(one, other)
        scores = None if merges is not None else compare_scores(one, other)
        line = lineage(a.name, b.name, pieces, merges, scores)
        pairs = merges_in_bytes(*one) if merges is not None else []
    tests, signals = _weights(a, b, pieces, options, progress)
    summary = PairSummary(
        other=b.letter,
        pieces=_counts(pieces),
        order=_order("merges", merges) or _order("scores", scores),
        lineage=line,
        fields=compare_fields(one[0], other[0]),
        added_tokens=compare_added_tokens(one[0], other[0]),
        lengths=compare_lengths(*lengths),
        probe=_probe(a, b),
        template=_template(one[0].chat_template, other[0].chat_template),
        gguf=_gguf(a, b, pieces),
        independence=tests,
        signals=signals,
    )
    return ComparedPair(summary, piece_tables(b.letter, pieces, merges, pairs))


def _counts(pieces: VocabularyDifference) -> PieceCounts:
    return PieceCounts(
        size_a=pieces.size_a,
        size_b=pieces.size_b,
        shared=len(pieces.shared),
        only_a=len(pieces.only_a),
        only_b=len(pieces.only_b),
        same_id=pieces.same_id,
    )


def _order(what: str, order: MergeOrder | None) -> OrderSummary | None:
    if order is None:
        return None
    return OrderSummary(
        what=what,
        size_a=order.size_a,
        size_b=order.size_b,
        shared=order.shared,
        common_prefix=order.common_prefix,
        common_order=order.common_order,
        order_share=order.order_share,
        by_chance=order.by_chance,
    )


def _probe(a: Side, b: Side) -> ProbeEntry | None:
    """Return the first text of the fixed set that gives other ids, None where none does."""
    one, other = a.tokenizer[0].encoder, b.tokenizer[0].encoder
    differing = [(text, found) for text in PROBES if (found := first_difference(one, other, text))]
    if not differing:
        return None
    text, (before, ids_a, ids_b) = differing[0]
    return ProbeEntry(len(differing), len(PROBES), text, before, tuple(ids_a), tuple(ids_b))


def _template(a: str | None, b: str | None) -> TemplateDifference | None:
    if a is not None and b is not None:
        return compare_templates(a, b)
    if a is None and b is None:
        return None
    return TemplateDifference(TemplateRelation.ONLY_IN_OTHER if a is None else TemplateRelation.ONLY_IN_A)


def _gguf(a: Side, b: Side, pieces: VocabularyDifference) -> str | None:
    """Return the letter of the GGUF file, where one is such a file and the other may be its original."""
    if len(pieces.shared) < LEAST_SHARED * min(pieces.size_a, pieces.size_b):
        return None  # two tokenizers, and no conversion of one
    files = [side.letter for side in (a, b) if side.tokenizer[0].format == "gguf"]
    return files[0] if len(files) == 1 else None


def _weights(
    a: Side, b: Side, pieces: VocabularyDifference, options: CompareOptions, progress: Progress
) -> tuple[tuple[IndependenceTest, ...], Signals | None]:
    """Return tests and signals, nothing where one side has no weights."""
    if not isinstance(a.opened, OpenTokenizer) or not isinstance(b.opened, OpenTokenizer):
        return (), None
    one, other = a.opened.checkpoint, b.opened.checkpoint
    if one is None or other is None:
        return (), None
    return compare_weights(one, other, pieces, options.layers, progress)
