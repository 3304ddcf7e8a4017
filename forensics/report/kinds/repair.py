"""`repair`: what is shown of neutral rows put in place of untrained ones."""

from __future__ import annotations

from forensics.report.blocks import Tile
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind
from forensics.report.plots.repair import draw_plots
from forensics.report.results import Results
from forensics.report.sections.repair.guard import guard
from forensics.report.sections.repair.rows import matrices, rows, sizes
from forensics.report.sections.shared.run import notes, provenance
from forensics.report.wording import spaced
from forensics.schema.finding import Finding, Level, Rule, sorted_findings
from forensics.schema.repair import ROWS_TABLE, RepairSummary

__all__ = ["KIND"]

_REFUSED = Rule(
    "repair-refused",
    Level.ERROR,
    "The model notices the new rows on ordinary text, so they are not written.",
    "Choose another method, or leave rows out with --keep.",
)
_OTHER_WEIGHTS = Rule(
    "repair-other-weights",
    Level.WARNING,
    "Weights in another format beside the safetensors files keep the old rows.",
    "Convert the repaired model again, or take the file away.",
)
_LEFT_SPECIAL = Rule(
    "repair-special-left",
    Level.NOTE,
    "A row equal to an untrained one stays, because it is special, has a role or is kept.",
    "None is needed while no template writes it.",
)


def _headline(results: Results[RepairSummary]) -> str:
    """Return what the guard says, and whether anything was written."""
    summary, found = results.summary, results.summary.guard
    if found is None:
        return "No row is to be replaced: the scan found no token that is verified and unknown in text."
    what = f"{len(summary.ids):,} rows of {summary.model}, method {summary.method}"
    if found.objections:
        return f"{what}: refused, {'; '.join(found.objections)}."
    numbers = (
        f"perplexity {found.perplexity_before:.3f} untouched, {found.perplexity_after:.3f} repaired "
        f"({found.rise:+.3%}), {found.mass_after:.2g} of the probability on the rows "
        f"({found.mass_before:.2g} before), the likeliest token nowhere"
    )
    if summary.written is None:
        return f"{what}: harmless on {found.tokens:,} tokens ({numbers}). Nothing was written."
    return f"{what}: written, and harmless on {found.tokens:,} tokens ({numbers})."


def _subtitle(results: Results[RepairSummary]) -> str:
    summary = results.summary
    V = summary.sizes_before.embedding
    return f"{V:,} rows, {spaced(summary.tying)}, from a scan of {summary.scanned}"


def _tiles(results: Results[RepairSummary]) -> tuple[Tile, ...]:
    """Return the numbers that decide."""
    summary, found = results.summary, results.summary.guard
    tiles = [Tile("rows", f"{len(summary.ids):,}", _reasons(summary))]
    if found is not None:
        tone = "bad" if found.objections else "good"
        tiles += [
            Tile("perplexity", f"{found.rise:+.3%}", f"at most {found.limit_rise:+.1%}", tone),
            Tile("probability on them", f"{found.mass_after:.1e}", f"at most {found.limit_mass:.0e}", tone),
            Tile("written", "yes" if summary.written is not None else "no"),
        ]
    return tuple(tiles)


def _reasons(summary: RepairSummary) -> str:
    return ", ".join(f"{count:,} {why}" for why, count in summary.by_why.items())


def _brief(results: Results[RepairSummary]) -> Brief:
    """Return why the rows were chosen, the sizes, and the perplexity by kind of text."""
    summary = results.summary
    before, after = summary.sizes_before, summary.sizes_after
    facts = [Fact("rows", _reasons(summary) or "none")]
    size = f"config {before.config or 0:,}, matrix {before.embedding:,}, tokenizer {before.tokenizer:,}"
    if before != after:
        size += f"; afterwards config {after.config or 0:,}, matrix {after.embedding:,}"
    facts.append(Fact("sizes", size))
    if summary.guard is not None:
        kinds = summary.guard.kinds
        by_kind = [f"{k.kind} {k.perplexity_before:.3f} → {k.perplexity_after:.3f}" for k in kinds]
        facts.append(Fact("perplexity", ", ".join(by_kind)))
    if summary.written is not None:
        changed = [each.path for each in summary.written.files if each.changed]
        count = len(summary.written.files)
        facts.append(Fact("written", f"{count:,} files, changed {', '.join(changed) or 'none'}"))
    return Brief(tuple(facts))


def _findings(results: Results[RepairSummary]) -> tuple[Finding, ...]:
    """Return what keeps the rows from being written, and what stays as it was."""
    summary = results.summary
    found = []
    if summary.guard is not None and summary.guard.objections:
        guard = summary.guard
        evidence = {"rise": guard.rise, "mass": guard.mass_after, "argmax": guard.argmax_after}
        found.append(_REFUSED.found("; ".join(guard.objections), summary.method, evidence=evidence))
    found += [
        _OTHER_WEIGHTS.found(f"{name} is copied as it is and keeps the old rows", name)
        for name in summary.other_weights
    ]
    if summary.left_special:
        ids = summary.left_special
        said = f"{len(ids):,} rows equal to untrained ones stay: {', '.join(map(str, ids[:12]))}"
        found.append(_LEFT_SPECIAL.found(said, "special rows", evidence={"rows": len(ids)}))
    return sorted_findings(found)


KIND: Kind[RepairSummary] = Kind(
    name="repair",
    summary=RepairSummary,
    tables=(ROWS_TABLE,),
    title=lambda results: f"{results.summary.model}: repair",
    subtitle=_subtitle,
    headline=_headline,
    tiles=_tiles,
    sections=(guard, rows, matrices, sizes, notes, provenance),
    plots=draw_plots,
    brief=_brief,
    findings=_findings,
    rules=(_REFUSED, _OTHER_WEIGHTS, _LEFT_SPECIAL),
    own_numbers=(
        GateNumber("rows", lambda results: len(results.summary.ids)),
        GateNumber(
            "perplexity_rise",
            lambda results: 100 * found.rise if (found := results.summary.guard) else None,
        ),
        GateNumber(
            "mass",
            lambda results: found.mass_after if (found := results.summary.guard) else None,
        ),
    ),
    why_missing=lambda results: "no row is to be replaced" if results.summary.guard is None else None,
    also_as="repair.json",
)
