"""How the numbers came about: notes and warnings, time and memory, and the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping

from forensics.report.blocks import Block, Cell, Code, Facts, Listing, Number, Section, Table
from forensics.report.declared import table
from forensics.report.results import Results, Summary
from forensics.schema.manifest import Manifest
from forensics.schema.record import JsonValue

__all__ = ["notes", "provenance"]


def notes(results: Results[Summary]) -> Section | None:
    """Return what a reader should know before trusting the rest."""
    remarks = results.summary.notes
    return Section("notes", "Notes and warnings", (Listing(remarks),)) if remarks else None


def provenance(results: Results[Summary]) -> Section | None:
    """Return time and memory of the run, and the manifest: files, versions, parameters, machine."""
    summary, manifest = results.summary, results.manifest
    blocks: list[Block] = [_seconds(summary.seconds)] if summary.seconds else []
    facts = _facts(summary.peak_rss_bytes, manifest)
    blocks += [Facts(facts)] if facts else []
    if files := manifest.get("files"):
        caption = "Every file that was read."
        columns = (
            ("bytes", lambda file: Number(file["size"])),
            ("sha256", lambda file: Code(file["sha256"])),
        )
        blocks.append(table("files", caption, files, ("file", lambda file: Code(file["path"])), *columns))
    for name, caption, values in (
        ("versions", "Versions of everything that touched a number.", manifest.get("versions")),
        ("parameters", "Parameters of the run.", manifest.get("parameters")),
        ("machine", "The machine.", manifest.get("machine")),
    ):
        blocks += [_named(name, caption, values)] if values else []
    return Section("provenance", "Run and manifest", tuple(blocks)) if blocks else None


def _named(name: str, caption: str, values: Mapping[str, JsonValue] | Mapping[str, str]) -> Table:
    """Return names with their values, a value as it would be written in JSON and a string as it is."""
    return table(
        name,
        caption,
        values.items(),
        ("name", lambda item: item[0]),
        ("value", lambda item: Code(_shown(item[1]))),
        where_rest="manifest.json",
    )


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _seconds(seconds: Mapping[str, float]) -> Table:
    """Return the stages and their time."""
    stages = [*seconds.items(), ("all stages", sum(seconds.values()))]
    columns = (("stage", lambda stage: stage[0]), ("seconds", lambda stage: Number(float(stage[1]), 3)))
    return table("seconds", "Time of each stage.", stages, *columns)


def _facts(peak: int, manifest: Manifest) -> tuple[tuple[str, Cell], ...]:
    """Return memory, command line and seed, those that are known."""
    command, seed = manifest.get("command_line"), manifest.get("seed")
    known: list[tuple[str, Cell]] = []
    known += [("peak memory", f"{peak / 2**20:,.0f} MiB")] if peak else []
    known += [("command", Code(" ".join(command)))] if command else []
    known += [("seed", str(seed))] if seed is not None else []
    return tuple(known)
