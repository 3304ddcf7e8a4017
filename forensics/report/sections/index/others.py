"""What stands beside the runs: folders left out, and vocabularies that several runs share."""

from __future__ import annotations

from forensics.report.blocks import Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.index import IndexSummary, VocabularyEntry

__all__ = ["left_out", "vocabularies"]

#: Runs of one vocabulary that are named in its line.
_NAMED = 8


def left_out(results: Results[IndexSummary]) -> Section | None:
    """Return the folders that hold no finished run, each with its reason."""
    entries = results.summary.left_out
    if not entries:
        return None
    shown = table(
        "left-out",
        "Damaged, or never finished.",
        entries,
        ("folder", lambda each: each.folder),
        ("what is wrong", lambda each: each.reason),
        where_rest="left_out.parquet",
    )
    return Section("left-out", "Left out", (shown,))


def vocabularies(results: Results[IndexSummary]) -> Section | None:
    """Return which runs have one vocabulary, and which vocabularies go on where another ends."""
    entries = results.summary.vocabularies
    parents = {each.begins_with for each in entries}
    shared = [
        each
        for each in entries
        if len(each.folders) > 1 or each.begins_with is not None or each.number in parents
    ]
    if not shared:
        return None
    shown = table(
        "vocabularies",
        "Vocabularies that several runs have, or that begin with another.",
        shared,
        ("vocabulary", lambda each: Number(each.number, grouped=False)),
        ("pieces", lambda each: Number(each.pieces)),
        ("runs", lambda each: Number(len(each.folders))),
        ("begins with", lambda each: Number(each.begins_with, grouped=False)),
        ("more than that", lambda each: Number(each.more)),
        ("which", lambda each: _named(each)),
        where_rest="index.json",
    )
    said = Paragraph(
        "The same pieces at the same ids are one vocabulary. The order of merges, by which `forensics "
        "compare` finds relatives with other ids, is not asked: finished runs do not keep the merges."
    )
    return Section("vocabularies", "Shared vocabularies", (said, shown))


def _named(each: VocabularyEntry) -> str:
    more = len(each.folders) - _NAMED
    return ", ".join(each.folders[:_NAMED]) + (f" and {more} more" if more > 0 else "")
