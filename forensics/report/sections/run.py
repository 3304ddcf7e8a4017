"""How the numbers came about: notes and warnings, time and memory, and the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping

from forensics.report.blocks import Block, Cell, Code, Facts, Listing, Number, Row, Section, Table
from forensics.report.results import Results

__all__ = ["notes", "provenance"]


def notes(results: Results) -> Section | None:
    """Return what a reader should know before trusting the rest."""
    remarks = results.get("notes") or []
    return (
        Section("notes", "Notes and warnings", (Listing(tuple(str(remark) for remark in remarks)),))
        if remarks
        else None
    )


def provenance(results: Results) -> Section | None:
    """Return time and memory of the run, and the manifest: files, versions, parameters, machine."""
    blocks: list[Block] = []
    seconds = results.get("seconds")
    if isinstance(seconds, Mapping) and seconds:
        blocks.append(_seconds(seconds))
    facts = _facts(results)
    if facts:
        blocks.append(Facts(tuple(facts)))
    manifest = results.manifest
    files = manifest.get("files") or []
    if files:
        rows = tuple(
            Row((Code(str(file.get("path"))), Number(file.get("size")), Code(str(file.get("sha256")))))
            for file in files
        )
        blocks.append(
            Table("files", "Every file that was read.", ("file", "bytes", "sha256"), rows, len(rows))
        )
    for key, name, caption in (
        ("versions", "versions", "Versions of everything that touched a number."),
        ("parameters", "parameters", "Parameters of the run."),
        ("machine", "machine", "The machine."),
    ):
        values = manifest.get(key)
        if isinstance(values, Mapping) and values:
            rows = tuple(Row((str(label), Code(_shown(value)))) for label, value in values.items())
            blocks.append(Table(name, caption, ("name", "value"), rows, len(rows), "manifest.json"))
    return Section("provenance", "Run and manifest", tuple(blocks)) if blocks else None


def _seconds(seconds: Mapping[str, float]) -> Table:
    """Return the stages and their time."""
    rows = [Row((stage, Number(float(spent), 3))) for stage, spent in seconds.items()]
    rows.append(Row(("all stages", Number(float(sum(seconds.values())), 3))))
    return Table("seconds", "Time of each stage.", ("stage", "seconds"), tuple(rows), len(rows))


def _facts(results: Results) -> list[tuple[str, Cell]]:
    """Return memory, command line and seed, those that are known."""
    facts: list[tuple[str, Cell]] = []
    peak = results.get("peak_rss_bytes")
    if peak is not None:
        facts.append(("peak memory", f"{peak / 2**20:,.0f} MiB"))
    command = results.manifest.get("command_line")
    if command:
        facts.append(("command", Code(command if isinstance(command, str) else " ".join(command))))
    if results.manifest.get("seed") is not None:
        facts.append(("seed", str(results.manifest["seed"])))
    return facts


def _shown(value: object) -> str:
    """Return a parameter as it would be written in JSON, a string as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
