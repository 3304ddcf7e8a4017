"""The parts of an audit that were asked for."""

from __future__ import annotations

from forensics.report.blocks import Block, Facts, Listing, Number, Section, Table
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.audit_summary import (
    AuditSummary,
    MorphologyScore,
    OptionalParts,
    PairsSummary,
    PruneSummary,
)

__all__ = ["optional"]


def optional(results: Results[AuditSummary]) -> Section | None:
    """Return what was asked for; figures by language stand in the table of languages."""
    parts = results.summary.optional
    blocks: list[Block] = []
    if facts := _facts(parts):
        blocks.append(Facts(facts))
    blocks += [_inference(parts)] if parts.inference else []
    blocks += [_words(parts)] if parts.words else []
    blocks += [_overlap(parts)] if parts.overlap else []
    if parts.pairs is not None and parts.pairs.examples:
        blocks.append(Listing(tuple(f"improbable pair: {text}" for text in parts.pairs.examples)))
    return Section("optional", "Further measures", tuple(blocks)) if blocks else None


def _facts(parts: OptionalParts) -> tuple[tuple[str, str], ...]:
    facts: list[tuple[str, str]] = []
    if parts.gini is not None:
        facts.append(("Gini coefficient of tokens per line", f"{parts.gini:.4f}"))
    if parts.reference is not None:
        facts.append(("NSL is against", parts.reference))
    facts += _pairs(parts.pairs) + _morphology(parts.morphology)
    if parts.wordlist is not None:
        words = parts.wordlist
        facts.append(("pieces of letters that are in the list", f"{words.words:,} of {words.pieces:,}"))
        facts.append(("words of the list that are one token", f"{words.covered:,} of {words.listed:,}"))
    return tuple(facts + _plan(parts.prune_plan))


def _pairs(pairs: PairsSummary | None) -> list[tuple[str, str]]:
    if pairs is None:
        return []
    mixed = "" if pairs.mixed_scripts is None else f", {pairs.mixed_scripts:.1%} of them of mixed scripts"
    return [
        ("incomplete tokens", f"{pairs.prefixes:,} at the end, {pairs.suffixes:,} at the beginning"),
        ("pairs that fit", f"{pairs.compatible:,}"),
        ("pairs that survive encoding", f"{pairs.survived:,} of {pairs.tried:,} tried{mixed}"),
    ]


def _morphology(score: MorphologyScore | None) -> list[tuple[str, str]]:
    if score is None:
        return []
    named = (("precision", score.precision), ("recall", score.recall), ("F1", score.f1))
    said = ", ".join(f"{name} {value:.3f}" for name, value in named if value is not None)
    chance = "" if score.chance_f1 is None else f"; as many random cuts have F1 {score.chance_f1:.3f}"
    return [
        ("morpheme boundaries", (said or "nothing to judge") + chance),
        ("words judged", f"{score.words:,}; {score.single_token:,} more are one token ({score.variant})"),
    ]


def _plan(plan: PruneSummary | None) -> list[tuple[str, str]]:
    if plan is None:
        return []
    return [
        ("tokens that can go", f"{plan.removable:,}: as many rows of the embedding, and of an untied head"),
        ("unused, and needed by merges", f"{plan.needed_by_merges:,}"),
        ("text of the plan", f"{plan.tokens:,} tokens; a token not in it has a rate below "
         f"{plan.rate_bound:.2g} (95 %)"),
    ]  # fmt: skip


def _inference(parts: OptionalParts) -> Table:
    return table(
        "inference",
        "Other ways of cutting the reference language into the same pieces.",
        parts.inference,
        ("way", lambda one: one.method.replace("_", " ")),
        ("pre-tokens", lambda one: Number(one.words)),
        ("cut otherwise", lambda one: Number(one.differ, 3, percent=True)),
        ("tokens over its own", lambda one: Number(one.tokens, 5)),
    )


def _words(parts: OptionalParts) -> Table:
    return table(
        "words",
        "What the given words cost.",
        parts.words,
        ("variant", lambda one: one.variant),
        ("words", lambda one: Number(one.words)),
        ("fertility", lambda one: Number(one.fertility, 4)),
        ("continued", lambda one: Number(one.continued, 3, percent=True)),
        ("single-token", lambda one: Number(one.single_token, 3, percent=True)),
    )


def _overlap(parts: OptionalParts) -> Table:
    matrix = parts.overlap or {}
    return table(
        "overlap",
        "Jensen-Shannon divergence in bits: 0 where two languages use the vocabulary alike.",
        matrix.items(),
        ("language", lambda item: item[0]),
        *((name, lambda item, name=name: Number(item[1][name], 3)) for name in matrix),
        where_rest="summary.json",
    )
