"""`Kind`: everything that differs between commands in what a person or a gate sees of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Generic, TypeVar

from forensics.errors import OptionError
from forensics.report.blocks import Section, Table, Tile
from forensics.report.results import Results, Summary
from forensics.schema.columns import TableSchema
from forensics.schema.finding import Finding, Level, Rule

if TYPE_CHECKING:
    from forensics.report.plots.style import Plot

__all__ = ["Brief", "Fact", "GateNumber", "Kind", "NumbersByKey"]

S = TypeVar("S", bound=Summary)
S_contra = TypeVar("S_contra", bound=Summary, contravariant=True)


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
class GateNumber(Generic[S_contra]):
    """A number that `--fail-on` can ask for."""

    name: str
    #: The number; None where the run did not establish it.
    value: Callable[[Results[S_contra]], float | None]
    #: Why it is missing, where this number has a reason of its own; else the command's is given.
    why_missing: Callable[[Results[S_contra]], str | None] = lambda _: None


@dataclass(frozen=True)
class NumbersByKey(Generic[S_contra]):
    """A number of every language, or of other things with a name: `--fail-on 'NAME:KEY>3'`."""

    name: str
    #: Key -> the number; None where the run did not establish it.
    values: Callable[[Results[S_contra]], Mapping[str, float | None]]
    #: Why the number of a key is missing, where there is a reason.
    why_missing: Callable[[Results[S_contra], str], str | None] = lambda _, __: None

    def of(self, key: str) -> GateNumber[S_contra]:
        """Return the number of one key; asking a run that has no such key is refused, with the nearest."""

        def value(results: Results[S_contra]) -> float | None:
            values = self.values(results)
            if key in values:
                return values[key]
            nearest = get_close_matches(key, values, cutoff=0.5) or sorted(values)[:8]
            listed = ", ".join(f"{self.name}:{each}" for each in nearest)
            raise OptionError("fail_on", f"the run has no {key!r}", f"did you mean {listed}?")

        return GateNumber(f"{self.name}:{key}", value, lambda results: self.why_missing(results, key))


@dataclass(frozen=True)
class Kind(Generic[S]):
    """One command's record; all its functions take a run's `Results`."""

    #: The command, and the `kind` of its summary.
    name: str
    #: The dataclass of `summary.json`.
    summary: type[S]
    #: The data files besides it, the main one first.
    tables: tuple[TableSchema, ...]
    title: Callable[[Results[S]], str]
    #: What was examined, in one line.
    subtitle: Callable[[Results[S]], str]
    #: The sentence an auditor can quote.
    headline: Callable[[Results[S]], str]
    tiles: Callable[[Results[S]], tuple[Tile, ...]]
    #: In reading order; a section that has nothing to say is None.
    sections: tuple[Callable[[Results[S]], Section | None], ...]
    #: Name -> plot; imports matplotlib when it is called.
    plots: Callable[[Results[S]], Mapping[str, Plot]]
    brief: Callable[[Results[S]], Brief]
    #: The worst first.
    findings: Callable[[Results[S]], tuple[Finding, ...]]
    #: Every rule that a finding can name.
    rules: tuple[Rule, ...]
    #: The command's own gate numbers; `numbers` has those of its findings too.
    own_numbers: tuple[GateNumber[S], ...] = ()
    #: Numbers of which there are many, one for each language.
    numbers_by_key: tuple[NumbersByKey[S], ...] = ()
    #: Why a number is missing from this run, where there is one reason; else None.
    why_missing: Callable[[Results[S]], str | None] = lambda _: None
    #: Tables that are written as CSV too, for programs that know nothing else.
    as_csv: frozenset[str] = frozenset()
    #: The summary is written under this name too, which earlier versions promised.
    also_as: str | None = None
    #: Parts of the summary that are another in every run, time above all; left out there.
    also_without: frozenset[str] = frozenset()
    #: Parts of the summary that would bury the rest of `--json`; the file has them.
    not_printed: frozenset[str] = frozenset()

    @property
    def table_files(self) -> tuple[str, ...]:
        """The files that its tables are in."""
        parquet = tuple(f"{table.name}.parquet" for table in self.tables)
        return (*parquet, *(f"{table.name}.csv" for table in self.tables if table.name in self.as_csv))

    @property
    def numbers(self) -> tuple[GateNumber[S], ...]:
        """What `--fail-on` can ask for: the command's own numbers, and findings by level."""
        return (*self.own_numbers, *(GateNumber(f"{level}s", self._count(level)) for level in Level))

    def counted(self, results: Results[S]) -> tuple[Finding, ...]:
        """Return the findings that a gate counts: those that nobody accepted."""
        return tuple(each for each in self.findings(results) if each.fingerprint not in results.accepted)

    def _count(self, level: Level) -> Callable[[Results[S]], float]:
        return lambda results: sum(finding.level is level for finding in self.counted(results))
