"""The finished runs: all of them, the verdicts of scans, and the numbers of other commands."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from forensics.report.blocks import Cell, Code, Link, Number, Section, Table
from forensics.report.declared import Column, table
from forensics.report.results import Results
from forensics.report.wording import interval_text, spaced
from forensics.schema.index import IndexSummary, RunEntry

__all__ = ["numbers", "run_table", "runs", "verdicts"]


def runs(results: Results[IndexSummary]) -> Section | None:
    """Return one line for every run."""
    summary = results.summary
    if not summary.runs:
        return None
    shown = table(
        "runs",
        "Every finished run. Counts of verified tokens stand where a model was prompted. The time is that of "
        "the file summary.json, in UTC: a run's own files hold none, so that equal runs are equal bytes.",
        summary.runs,
        _run(summary),
        ("command", lambda each: each.command),
        ("tokens", lambda each: Number(each.tokens)),
        ("verified", lambda each: Number(each.verified)),
        ("unknown in text", lambda each: Number(each.unknown_in_text)),
        ("estimate", lambda each: Number(_rounded(each.estimate_total))),
        ("95 % interval", lambda each: interval_text((each.estimate_low, each.estimate_high)) or None),
        ("errors", lambda each: Number(each.errors)),
        ("warnings", lambda each: Number(each.warnings)),
        ("notes", lambda each: Number(each.notes)),
        ("vocabulary", lambda each: Number(each.vocabulary, grouped=False)),
        ("version", lambda each: _whole_text(each.version)),
        ("written", lambda each: _whole_text(each.written)),
        ("folder", lambda each: _whole_text(each.folder)),
        where_rest="runs.parquet",
    )
    return Section("runs", "Runs", (replace(shown, sortable=True),))


def verdicts(results: Results[IndexSummary]) -> Section | None:
    """Return the verdicts of every scan that prompted its model, and why others did not."""
    summary = results.summary
    scans = [each for each in summary.runs if each.tested is not None]
    if not scans:
        return None
    shown = table(
        "verdicts",
        "Tokens put to the model, by verdict.",
        scans,
        _run(summary),
        *(_whole(name) for name in ("tested", "strong", "weak", "inconclusive", "rejected")),
        where_rest="runs.parquet",
    )
    return Section("verdicts", "Verdicts", (replace(shown, sortable=True),))


def numbers(results: Results[IndexSummary]) -> Section | None:
    """Return the numbers that `--fail-on` can ask for, command by command."""
    summary = results.summary
    tables = []
    for command in summary.commands:
        made = [each for each in summary.runs if each.command == command]
        columns = [_number(name) for name in made[0].numbers]
        shown = table(f"numbers-{command}", f"{command}.", made, _run(summary), *columns)
        tables.append(replace(shown, sortable=True, where_rest="runs.parquet"))
    return Section("numbers", "Numbers of each command", tuple(tables)) if tables else None


def run_table(entries: Sequence[RunEntry]) -> Table:
    """Return the runs in few columns, for a terminal; of numbers only those that one of the runs has."""
    is_prompted = any(each.verified is not None for each in entries)
    return table(
        "runs",
        "The runs.",
        entries,
        ("folder", lambda each: each.folder),
        ("command", lambda each: each.command),
        ("tokens", lambda each: Number(each.tokens)),
        ("verified", lambda each: Number(each.verified)) if is_prompted else None,
        ("unknown in text", lambda each: Number(each.unknown_in_text)) if is_prompted else None,
        ("errors", lambda each: Number(each.errors)),
        ("warnings", lambda each: Number(each.warnings)),
        ("notes", lambda each: Number(each.notes)),
        where_rest="runs.parquet",
    )


def _run(summary: IndexSummary) -> Column[RunEntry]:
    """Return the column that names a run and leads to its report."""

    def cell(each: RunEntry) -> Cell:
        return each.model if each.report is None else Link(each.model, _path(summary.root, each.report))

    return "model", cell


def _path(root: str, report: str) -> str:
    return posixpath.normpath(posixpath.join(root, report))


def _whole(name: str) -> Column[RunEntry]:
    return name, lambda each: Number(getattr(each, name))


def _whole_text(text: str | None) -> Cell:
    return None if text is None else Code(text, wraps=False)


def _number(name: str) -> Column[RunEntry]:
    return spaced(name), lambda each: Number(_rounded(each.numbers.get(name)))


def _rounded(value: float | None) -> float | int | None:
    """Return whole numbers as such: an estimate of 40 tokens is not 40.0."""
    return int(value) if value is not None and float(value).is_integer() else value
