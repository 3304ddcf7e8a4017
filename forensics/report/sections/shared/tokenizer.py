"""What was examined: the tokenizer."""

from __future__ import annotations

from forensics.report.blocks import Cell, Code, Facts, Number, Section
from forensics.report.results import Results
from forensics.schema.tokenizer import TokenizerFacts
from forensics.schema.tokens import TokensSummary

__all__ = ["tokenizer", "tokenizer_facts", "yes_or_no"]


def tokenizer(results: Results[TokensSummary]) -> Section:
    """Return the section on a tokenizer alone."""
    facts = (("model", Code(results.summary.model)), *tokenizer_facts(results.summary.tokenizer))
    return Section("model", "Tokenizer", (Facts(facts),))


def tokenizer_facts(facts: TokenizerFacts) -> tuple[tuple[str, Cell], ...]:
    """Return the facts about a tokenizer, in reading order."""
    return (
        ("tokenizer", facts.type),
        ("tokenizer entries", Number(facts.vocab_size)),
        ("byte level", yes_or_no(facts.byte_level)),
        ("byte fallback", yes_or_no(facts.byte_fallback)),
    )


def yes_or_no(value: bool) -> str:
    """Return a truth value as a word."""
    return "yes" if value else "no"
