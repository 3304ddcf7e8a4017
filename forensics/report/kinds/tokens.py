"""`tokens`: what is shown of a vocabulary alone."""

from __future__ import annotations

from forensics.report.kinds.kind import Brief, Kind
from forensics.report.results import Results
from forensics.report.sections.shared.breakdown import breakdown
from forensics.report.sections.shared.counts import COUNTS, count_tiles, counted, tokenizer_line
from forensics.report.sections.shared.findings import ROLES_DIFFER, UNREACHABLE, never_produced, roles_differ
from forensics.report.sections.shared.odd_tokens import byte_tokens, partial_utf8, unreachable
from forensics.report.sections.shared.run import notes, provenance
from forensics.report.sections.shared.special import special
from forensics.report.sections.shared.tokenizer import tokenizer
from forensics.report.sections.tokens.improbable_pairs import improbable_pairs
from forensics.report.sections.tokens.merges import merges
from forensics.report.wording import spaced
from forensics.schema.finding import Finding, Level, Rule, sorted_findings
from forensics.schema.tokens import TOKENS_TABLE, TokensSummary

__all__ = ["KIND"]

_MERGES = Rule(
    "merge-oddity",
    Level.NOTE,
    "Entries or merges that tell how a vocabulary was made.",
    "None is needed; a token that nothing makes wastes a row.",
    ("merges",),
)


def _headline(results: Results[TokensSummary]) -> str:
    """Return what can never occur."""
    size, counts = results.summary.tokenizer.vocab_size, results.summary.counts
    return (
        f"Of {size:,} tokens, {counts.unreachable:,} can never be produced from text (re-encoding them gives "
        f"something else, alone and after any left context tried), and {counts.partial_utf8:,} are parts of "
        "characters that are no text by themselves."
    )


def _findings(results: Results[TokensSummary]) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first."""
    odd = (
        _MERGES.found(
            f"{problem.count:,} x {spaced(problem.kind)}: {problem.meaning}",
            problem.kind,
            evidence={"count": problem.count},
        )
        for problem in results.summary.merges.problems
    )
    return sorted_findings([*roles_differ(results), *never_produced(results), *odd])


KIND: Kind[TokensSummary] = Kind(
    name="tokens",
    summary=TokensSummary,
    tables=(TOKENS_TABLE,),
    title=lambda results: f"{results.summary.model.rstrip('/').rsplit('/', 1)[-1]}: vocabulary",
    subtitle=lambda results: tokenizer_line(results.summary.tokenizer),
    headline=_headline,
    tiles=count_tiles,
    sections=(
        tokenizer, breakdown, special, byte_tokens, partial_utf8, unreachable, merges,
        improbable_pairs, notes, provenance,
    ),
    plots=lambda _: {},
    brief=lambda results: Brief(counted(results.summary.counts)),
    findings=_findings,
    rules=(ROLES_DIFFER, UNREACHABLE, _MERGES),
    own_numbers=COUNTS,
)  # fmt: skip
