"""`index`: what is shown of all finished runs under a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind
from forensics.report.results import Results
from forensics.report.sections.index.others import left_out, vocabularies
from forensics.report.sections.index.runs import numbers, run_table, runs, verdicts
from forensics.report.sections.shared.run import notes, provenance
from forensics.report.wording import plural
from forensics.schema.finding import Finding, Level, Rule
from forensics.schema.index import LEFT_OUT_TABLE, RUNS_TABLE, IndexSummary, RunEntry

__all__ = ["KIND"]

_LEFT_OUT = Rule(
    "run-left-out",
    Level.WARNING,
    "A folder holds a run that is damaged or was never finished.",
    "Run its command again, or remove the folder.",
)
#: Runs that are listed in brief.
_LISTED = 20


def _headline(results: Results[IndexSummary]) -> str:
    """Return how many runs there are and what they add up to."""
    summary = results.summary
    counts = ", ".join(f"{count:,} {name}" for name, count in summary.commands.items())
    finished = f"{len(summary.runs):,} finished {plural('run', len(summary.runs))}"
    said = [f"{finished} ({counts})" if counts else finished]
    if prompted := [each for each in summary.runs if each.verified is not None]:
        models = f"{len(prompted):,} {plural('model', len(prompted))} prompted"
        known = [each.unknown_in_text for each in prompted if each.unknown_in_text is not None]
        unknown = f", of which ordinary text does not clear {sum(known):,}" if known else ""
        said.append(f"{models}: {sum(each.verified or 0 for each in prompted):,} verified tokens{unknown}")
    if summary.left_out:
        said.append(f"{len(summary.left_out):,} left out, damaged or never finished")
    return ". ".join(said) + "."


def _tiles(results: Results[IndexSummary]) -> tuple[Tile, ...]:
    summary = results.summary
    errors = sum(each.errors for each in summary.runs)
    left = len(summary.left_out)
    return (
        Tile("finished runs", f"{len(summary.runs):,}"),
        Tile("verified", f"{sum(each.verified or 0 for each in summary.runs):,}", "tokens, all scans"),
        Tile("errors", f"{errors:,}", "findings, all runs", "bad" if errors else "plain"),
        Tile("left out", f"{left:,}", "folders", "warn" if left else "plain"),
    )


def _brief(results: Results[IndexSummary]) -> Brief:
    """Return the first runs and the first of what is left out."""
    summary = results.summary
    facts = [Fact("left out", f"{each.folder}: {each.reason}") for each in summary.left_out[:_LISTED]]
    for what, count in (("left out", len(summary.left_out)), ("runs", len(summary.runs))):
        if count > _LISTED:
            facts.append(Fact(what, f"{count - _LISTED:,} more in the report"))
    return Brief(tuple(facts), (run_table(summary.runs[:_LISTED]),) if summary.runs else ())


def _findings(results: Results[IndexSummary]) -> tuple[Finding, ...]:
    return tuple(
        _LEFT_OUT.found(f"{each.folder}: {each.reason}", each.folder) for each in results.summary.left_out
    )


def _sum(value: Callable[[RunEntry], int]) -> Callable[[Results[IndexSummary]], float]:
    return lambda results: sum(map(value, results.summary.runs))


def _most(value: Callable[[RunEntry], int | None]) -> Callable[[Results[IndexSummary]], float | None]:
    def known(results: Results[IndexSummary]) -> Iterator[int]:
        return (found for each in results.summary.runs if (found := value(each)) is not None)

    return lambda results: max(known(results), default=None)


KIND: Kind[IndexSummary] = Kind(
    name="index",
    summary=IndexSummary,
    tables=(RUNS_TABLE, LEFT_OUT_TABLE),
    title=lambda results: f"{results.summary.model}: index",
    subtitle=lambda results: f"all runs of forensics under {results.summary.model}",
    headline=_headline,
    tiles=_tiles,
    sections=(runs, verdicts, left_out, vocabularies, numbers, notes, provenance),
    plots=lambda _: {},
    brief=_brief,
    findings=_findings,
    rules=(_LEFT_OUT,),
    own_numbers=(
        GateNumber("runs", lambda results: len(results.summary.runs)),
        GateNumber("left_out", lambda results: len(results.summary.left_out)),
        GateNumber("run_errors", _sum(lambda each: each.errors)),
        GateNumber("run_warnings", _sum(lambda each: each.warnings)),
        GateNumber("most_verified", _most(lambda each: each.verified)),
        GateNumber("most_unknown_in_text", _most(lambda each: each.unknown_in_text)),
    ),
    why_missing=lambda _: "no model was prompted",
    as_csv=frozenset({"runs"}),
    also_as="index.json",
    also_without=frozenset({"seconds", "peak_rss_bytes"}),
)
