"""`Kind`: everything that differs between commands in what a person or a gate sees of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.report.blocks import Section, Table, Tile
from forensics.schema.columns import TableSchema
from forensics.schema.finding import Finding, Rule

if TYPE_CHECKING:
    from forensics.report.plot_style import Plot
    from forensics.report.results import Results

__all__ = ["Brief", "Fact", "GateNumber", "Kind"]


@dataclass(frozen=True)
class Fact:
    """A name and a value on one line."""

    label: str
    value: str


@dataclass(frozen=True)
class Brief:
    """What the terminal and a notebook show below the headline, in a screen's height."""

    facts: tuple[Fact, ...] = ()
    #: The worst rows, ten or so.
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class GateNumber:
    """A number that `--fail-on` can ask for."""

    name: str
    #: From the summary to the number; None where the run did not establish it.
    value: Callable[[Any], float | None]


@dataclass(frozen=True)
class Kind:
    """One command's record. The functions take a run's `Results`, whose summary is of the type `summary`."""

    #: The command, and the `kind` of its summary.
    name: str
    #: The dataclass of `summary.json`.
    summary: type[Any]
    #: The data files besides it, the main one first.
    tables: tuple[TableSchema, ...]
    title: Callable[[Results], str]
    #: What was examined, in one line.
    subtitle: Callable[[Results], str]
    #: The sentence an auditor can quote.
    headline: Callable[[Results], str]
    tiles: Callable[[Results], tuple[Tile, ...]]
    #: In reading order; a section that has nothing to say is None.
    sections: tuple[Callable[[Results], Section | None], ...]
    #: Name -> plot; imports matplotlib when it is called.
    plots: Callable[[Results], Mapping[str, Plot]]
    brief: Callable[[Results], Brief]
    #: The worst first.
    findings: Callable[[Results], tuple[Finding, ...]]
    #: Every rule that a finding can name.
    rules: tuple[Rule, ...]
    numbers: tuple[GateNumber, ...]
    #: Why a number is missing from this run, where there is one reason; else None.
    why_missing: Callable[[Any], str | None] = lambda _: None
    #: The summary is written under this name too, which earlier versions promised.
    also_as: str | None = None
    #: Parts of the summary that would bury the rest of `--json`; the file has them.
    not_printed: frozenset[str] = frozenset()
