"""Settings, added tokens and chat templates that differ."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.report.blocks import Block, Cell, Code, Number, Section, Table
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.report.visible import plain, shorten, token_text
from forensics.schema.compare import CompareSummary, TemplateDifference

__all__ = ["added_tokens", "settings", "template"]

#: Characters of a value, and values of a list, that are shown.
_LONGEST, _MOST = 160, 12


def settings(results: Results[CompareSummary]) -> Section | None:
    """Return roles, normalizer and the rest, field by field, and the first text that differs."""
    blocks: list[Block] = []
    for pair in results.summary.pairs:
        if pair.fields:
            blocks.append(
                table(
                    f"settings-{pair.other.lower()}",
                    f"Settings in which A and {pair.other} differ, as the library was given them.",
                    pair.fields,
                    ("setting", lambda each: Code(each.path)),
                    ("A", lambda each: _code(each.a)),
                    (pair.other, lambda each: _code(each.b)),
                )
            )
        if pair.probe is not None:
            probe = pair.probe
            rows: list[tuple[str, Cell]] = [
                ("text", _code(probe.text)),
                ("the same up to", _code(probe.before)),
                ("A goes on with", Code(", ".join(map(str, probe.ids_a)))),
                (f"{pair.other} goes on with", Code(", ".join(map(str, probe.ids_b)))),
            ]
            caption = (
                f"The first of {probe.differing} texts (of {probe.texts}) that A and {pair.other} encode "
                "otherwise."
            )
            blocks.append(_facts(f"probe-{pair.other.lower()}", caption, rows))
    return Section("settings", "Settings and what they do", tuple(blocks)) if blocks else None


def added_tokens(results: Results[CompareSummary]) -> Section | None:
    """Return the added tokens that one lacks or has otherwise."""
    blocks = [
        table(
            f"added-{pair.other.lower()}",
            f"Added tokens of A and {pair.other} that are not the same in both.",
            pair.added_tokens,
            ("token", lambda each: _code(each.content)),
            ("id in A", lambda each: Number(each.id_a, grouped=False)),
            (f"id in {pair.other}", lambda each: Number(each.id_b, grouped=False)),
            ("matched otherwise", lambda each: each.flags or None),
        )
        for pair in results.summary.pairs
        if pair.added_tokens
    ]
    return Section("added-tokens", "Added tokens", tuple(blocks)) if blocks else None


def template(results: Results[CompareSummary]) -> Section | None:
    """Return in what the chat templates differ; nothing is rendered."""
    blocks = [
        _facts(
            f"template-{pair.other.lower()}",
            f"Chat templates of A and {pair.other}: {pair.template.relation}.",
            _of_template(pair.template, pair.other),
        )
        for pair in results.summary.pairs
        if pair.template is not None and pair.template.relation != "identical"
    ]
    return Section("template", "Chat template", tuple(blocks)) if blocks else None


def _of_template(entry: TemplateDifference, other: str) -> list[tuple[str, Cell]]:
    rows: list[tuple[str, Cell]] = [("relation", entry.relation)]
    for name, one, theirs in (
        ("texts", entry.literals_a, entry.literals_b),
        ("variables read", entry.variables_a, entry.variables_b),
        ("strings that content is compared with", entry.content_a, entry.content_b),
    ):
        rows += [(f"{name} only in A", _several(one))] if one else []
        rows += [(f"{name} only in {other}", _several(theirs))] if theirs else []
    rows += [(f"messages of {role}, A / {other}", fate) for role, fate in (entry.roles or {}).items()]
    return [*rows, ("undecided because", entry.error)] if entry.error else rows


def _facts(name: str, caption: str, rows: Iterable[tuple[str, Cell]]) -> Table:
    return table(name, caption, rows, ("", lambda row: row[0]), ("value", lambda row: row[1]))


def _several(values: tuple[str, ...]) -> Code:
    more = f", … {len(values) - _MOST:,} more" if len(values) > _MOST else ""
    return Code(", ".join(_visible(value) for value in values[:_MOST]) + more)


def _code(value: str | None) -> Cell:
    return None if value is None else Code(_visible(value))


def _visible(value: str) -> str:
    """Return a value on one line, everything invisible in it made visible."""
    return shorten(plain(token_text(None, value)), _LONGEST)
