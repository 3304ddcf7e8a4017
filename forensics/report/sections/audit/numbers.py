"""How numbers and dates are cut."""

from __future__ import annotations

from forensics.report.blocks import FigureBlock, Number, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.audit_summary import AuditSummary

__all__ = ["numbers"]


def numbers(results: Results[AuditSummary]) -> Section:
    """Return the cuts of random numbers by length, and of dates by format."""
    cuts, dates = results.summary.numbers, results.summary.dates
    by_length = table(
        "numbers",
        f"{cuts[0].numbers:,} random numbers of each length, after `x=`.",
        cuts,
        ("digits", lambda one: Number(one.digits)),
        ("tokens", lambda one: Number(one.tokens, 3)),
        ("ways of cutting", lambda one: Number(one.patterns)),
        ("commonest", lambda one: one.commonest[0][0]),
        ("cut so", lambda one: Number(one.commonest[0][1], 3, percent=True)),
        ("threes from the left", lambda one: Number(one.threes_from_left, 3, percent=True)),
        ("threes from the right", lambda one: Number(one.threes_from_right, 3, percent=True)),
        ("single digits", lambda one: Number(one.single_digits, 3, percent=True)),
    )
    by_format = table(
        "dates",
        f"{dates[0].dates:,} random dates from 1900 to 2049 in each format, after `x=`.",
        dates,
        ("format", lambda one: one.format),
        ("tokens", lambda one: Number(one.tokens, 3)),
        ("components that are one token", lambda one: Number(one.whole, 3, percent=True)),
        ("that share a token", lambda one: Number(one.crossed, 3, percent=True)),
    )
    caption = "The commonest ways of cutting numbers of 1 to 10 digits; the width of a bar is its share."
    return Section("numbers", "Numbers and dates", (FigureBlock("digits", caption), by_length, by_format))
