"""Chat templates as they were parsed; none was rendered."""

from __future__ import annotations

from forensics.report.blocks import Block, Code, Facts, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.audit_summary import AuditSummary, TemplateEntry

__all__ = ["template"]


def template(results: Results[AuditSummary]) -> Section | None:
    """Return what each template does with roles, what it reads, and what the rules speak of."""
    found = results.summary.templates
    if not found:
        return None
    blocks: list[Block] = []
    for number, one in enumerate(found, start=1):
        blocks += _one(one, number)
    return Section("template", "Chat template", tuple(blocks))


def _one(entry: TemplateEntry, number: int) -> list[Block]:
    facts = [
        ("template", f"{entry.name}, {entry.characters:,} characters"),
        ("file", f"{entry.file}, line {entry.line:,}"),
    ]
    if entry.error is not None:
        return [Facts(tuple(facts)), Paragraph(f"It does not parse: {entry.error}.", "warn")]
    facts += [
        *((f"messages of {role}", fate) for role, fate in entry.roles.items()),
        ("generation prompt", "read" if entry.reads_generation_prompt else "never read"),
        ("depends on", ", ".join(entry.variables) or "nothing"),
        ("writes", " ".join(entry.special_tokens) or "no special token"),
    ]
    blocks: list[Block] = [Facts(tuple((name, Code(value)) for name, value in facts))]
    if entry.constructs:
        blocks.append(
            table(
                f"constructs-{number}",
                "Places that a rule speaks of.",
                entry.constructs,
                ("rule", lambda construct: construct.rule),
                ("line", lambda construct: Number(construct.line)),
                ("text", lambda construct: Code(construct.text)),
            )
        )
    return blocks
