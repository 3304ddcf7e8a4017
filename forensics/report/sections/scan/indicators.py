"""How suspicion is measured without running the model: the indicator, its cuts, and the references."""

from __future__ import annotations

from forensics.report.blocks import (
    Block,
    Cell,
    Facts,
    FigureBlock,
    Listing,
    Number,
    Paragraph,
    Section,
    Table,
)
from forensics.report.declared import byte_string, field, number, table, text, token_table, verdict_columns
from forensics.report.results import Results
from forensics.report.wording import full_stop, id_ranges, spaced
from forensics.schema.indicators import MEANINGS
from forensics.schema.scan import IndicatorSummary, ReferenceSummary, ScanSummary, WitnessesSummary

__all__ = ["indicators", "references"]

_PAIRS = (
    "Every pair of indicators. Grey: number of tokens (logarithmic). Where two measures agree about the same "
    "tokens at the low end, the finding does not depend on the choice."
)


def indicators(results: Results[ScanSummary]) -> Section:
    """Return the section on the chosen indicator, its two cuts, and how indicators agree."""
    chosen = results.summary.indicator
    why = f" {full_stop(chosen.why)}" if chosen.why else ""
    blocks: list[Block] = [Paragraph(f"Main indicator: {chosen.name}.{why}"), _cuts(chosen)]
    if chosen.data_driven.explanation:
        blocks.append(Paragraph(full_stop(f"The data-driven threshold: {chosen.data_driven.explanation}")))
    histogram = (
        f"How {chosen.name} is distributed over the vocabulary, on a logarithmic count. Marks below the axis "
        "are the reference tokens; untrained tokens form the hump at the left end."
    )
    blocks.append(FigureBlock("histogram", histogram))
    blocks += [FigureBlock("indicators", _PAIRS)] if len(results.indicators) > 1 else []
    blocks += [_computed(results)] if results.indicators else []
    if results.summary.witnesses is not None:
        blocks.append(Paragraph(_without_references(results.summary.witnesses)))
    return Section("indicator", "Indicators and cuts", tuple(blocks))


def _without_references(found: WitnessesSummary) -> str:
    """Return what the columns tell that need no reference tokens, and what they do not."""
    scripts = ", ".join(
        f"{script} {found.letter_auc[script]:.2f} ({words:,} words)"
        for script, words in found.letter_words.items()
        if script in found.letter_auc
    )
    letters = (
        f"mean area under the curve per letter: {scripts}" if scripts else "no script here has words enough"
    )
    return (
        "Two columns need no reference tokens. top10_cosine is the mean cosine of the ten nearest rows: rows "
        "that training left alone stand close together (area .98 to 1.00 for verified against rejected "
        f"tokens of three models), but so do variants of one word. {found.nearest} letter_strength tells how "
        f"strongly a row shows the letters of its text ({letters}; area .83 to 1.00 for verified against "
        "rejected tokens). Both are ranks and no verdicts."
    )


def _cuts(chosen: IndicatorSummary) -> Table:
    """Return the fixed cut and the data-driven one, side by side."""
    found = chosen.data_driven
    cuts = (
        (f"lowest {chosen.percent:g} % of ordinary tokens", chosen.threshold, chosen.n_candidates),
        (f"found in the data ({found.method})", found.threshold, found.n_below),
    )
    return table(
        "cuts",
        "Where the line is drawn. The fixed share decides what is verified at least; the data decide how "
        "many tokens really stand apart.",
        cuts,
        ("cut", lambda cut: cut[0]),
        ("value", lambda cut: Number(cut[1])),
        ("tokens below", lambda cut: Number(cut[2])),
    )


def _computed(results: Results[ScanSummary]) -> Table:
    """Return the indicators that were computed, with what they are and their spread."""
    # How well held-out reference tokens rank below ordinary ones: 1 is perfect, 0.5 is chance.
    areas = results.summary.indicator.separation
    finite = results.tokens[results.indicators].replace([float("inf"), float("-inf")], float("nan"))
    separation = " Separation: area under the curve of held-out reference tokens, 1 is perfect."
    return table(
        "indicators",
        "All indicators computed; low means suspicious." + (separation if areas else ""),
        results.indicators,
        ("indicator", lambda name: name),
        ("what it is", lambda name: MEANINGS[name]),
        *(
            (heading, lambda name, at=at: number(finite[name].quantile(at)))
            for heading, at in (("lowest", 0.0), ("2 %", 0.02), ("median", 0.5), ("highest", 1.0))
        ),
        ("separation", lambda name: Number(areas.get(name), 3)) if areas else None,
    )


def references(results: Results[ScanSummary]) -> Section:
    """Return how the tokens that are known to be untrained were found."""
    reference = results.summary.reference
    blocks: list[Block] = [Listing(reference.how), Facts(_facts(reference))]
    if reference.kinds:
        blocks.append(
            table(
                "reference-kinds",
                "Kinds of evidence that a token was never trained, and how well its tokens agree in "
                "embedding space.",
                reference.kinds,
                ("evidence", lambda kind: spaced(kind.kind)),
                ("found", lambda kind: Number(kind.count)),
                ("kept", lambda kind: Number(kind.kept)),
                ("agreement", lambda kind: Number(kind.agreement, 3)),
            )
        )
    if reference.ids:
        columns = (
            field("reserved", text, "reserved as"),
            field("bytes", byte_string),
            *verdict_columns(results),
        )
        chosen = results.where("is_reference", True)
        name, caption = "reference-tokens", "The reference tokens."
        blocks.append(token_table(results, chosen, name, caption, *columns, order=("token_id",)))
    return Section("reference", "Reference tokens", tuple(blocks))


def _facts(reference: ReferenceSummary) -> tuple[tuple[str, Cell], ...]:
    """Return how many there are, which, and how well they agree."""
    facts: list[tuple[str, Cell]] = [
        ("reference tokens", Number(len(reference.ids))),
        ("ids", id_ranges(reference.ids) or None),
    ]
    if reference.agreement is not None:
        facts.append(("mutual agreement (mean cosine, 1 = all the same)", Number(reference.agreement, 3)))
    if reference.dropped:
        facts.append(("dropped as outliers", id_ranges(reference.dropped)))
    return tuple(facts)
