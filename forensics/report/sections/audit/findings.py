"""What is wrong, the worst first: five of each level in words, all of them in a table."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.blocks import Badge, Block, Listing, Paragraph, Section, Table
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.report.visible import shorten
from forensics.schema.audit_rules import RULES
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.finding import Finding, Level

__all__ = ["findings", "findings_in_brief"]

#: Findings of one level that are told in words, on the page and in the terminal.
_TOLD, _TOLD_IN_BRIEF = 5, 3
#: Characters of a message on the page's list and in the terminal; the table has all of it.
_LONGEST, _LONGEST_IN_BRIEF = 300, 66
_TONES = {Level.ERROR: "bad", Level.WARNING: "warn", Level.NOTE: "plain"}


def findings(results: Results[AuditSummary]) -> Section:
    """Return the findings, and the parts that do not apply with their reasons."""
    every = results.summary.findings
    blocks: list[Block] = []
    for level in Level:
        some = [one for one in every if one.level is level]
        if not some:
            continue
        more = len(some) - _TOLD
        head = f"{level.value.capitalize()}s: {len(some):,}"
        blocks.append(Paragraph(head + (f", the first {_TOLD} of them" if more > 0 else "")))
        told = (f"{one.rule}: {shorten(one.message, _LONGEST)}" for one in some[:_TOLD])
        blocks.append(Listing(tuple(told)))
    if every:
        blocks.append(_table(every))
    else:
        blocks.append(Paragraph("No rule found anything."))
    reasons = results.summary.not_applicable
    if reasons:
        blocks.append(Listing(tuple(f"{part} does not apply: {reason}" for part, reason in reasons.items())))
    return Section("findings", "Findings", tuple(blocks))


def findings_in_brief(results: Results[AuditSummary]) -> tuple[Table, ...]:
    """Return errors and warnings, the first of each level, as one table; none where there are neither."""
    shown = [
        one
        for level in (Level.ERROR, Level.WARNING)
        for one in [each for each in results.summary.findings if each.level is level][:_TOLD_IN_BRIEF]
    ]
    if not shown:
        return ()
    return (
        table(
            "worst",
            "Errors and warnings.",
            shown,
            ("", lambda one: one.level.value),
            ("finding", lambda one: one.rule),
            ("what was found", lambda one: shorten(one.message, _LONGEST_IN_BRIEF)),
        ),
    )


def _table(every: Sequence[Finding]) -> Table:
    return table(
        "findings",
        "Every finding, with what it means and what to do about it.",
        every,
        ("level", lambda one: Badge(one.level.value, _TONES[one.level])),
        ("rule", lambda one: one.rule),
        ("subject", lambda one: shorten(one.subject, 60)),
        ("what was found", lambda one: shorten(one.message, 3 * _LONGEST)),
        ("what it means", lambda one: RULES[one.rule].meaning),
        ("what to do", lambda one: RULES[one.rule].remedy),
        where_rest="findings.parquet",
    )
