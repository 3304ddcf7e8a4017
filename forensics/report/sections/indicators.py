"""How suspicion is measured without running the model: the indicator, its cuts, and the references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import (
    Block,
    Cell,
    Facts,
    FigureBlock,
    Listing,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
)
from forensics.report.results import Results
from forensics.report.sections.common import (
    byte_string,
    full_stop,
    id_ranges,
    text,
    token_table,
    verdict_columns,
)

__all__ = ["indicators", "references"]

#: What each indicator is, in a sentence (Land and Bartolo 2024, section 3.1 and appendix).
DEFINITIONS = {
    "ein_l2_norm": "L2 norm of the input embedding: rows that only saw weight decay shrink",
    "ein_cosine": "cosine distance of the input embedding to the mean of the reference tokens",
    "eout_cosine": "cosine distance of the output embedding to the mean of the reference tokens",
    "eout_cosine_centered": "the same after subtracting the mean of all rows",
    "eout_cosine_no_pc1": "the same after removing the first principal component",
    "eout_l2": "Euclidean distance of the output embedding to the mean of the reference tokens",
    "eout_bias": "bias of the output layer",
}


def indicators(results: Results) -> Section | None:
    """Return the section on the chosen indicator, its two cuts, and how indicators agree."""
    name = results.get("indicator.name")
    if name is None:
        return None
    blocks: list[Block] = [Paragraph(_why(results, name)), _cuts(results)]
    explanation = results.get("indicator.data_driven.explanation")
    if explanation:
        blocks.append(Paragraph(full_stop(f"The data-driven threshold: {explanation}")))
    blocks.append(
        FigureBlock(
            "histogram",
            f"How {name} is distributed over the vocabulary, on a logarithmic count. Marks below the "
            "axis are the "
            "reference tokens; untrained tokens form the hump at the left end.",
        )
    )
    if len(results.indicators) > 1:
        blocks.append(
            FigureBlock(
                "indicators",
                "Every pair of indicators. Grey: number of tokens (logarithmic). Where two measures "
                "agree about the "
                "same tokens at the low end, the finding does not depend on the choice.",
            )
        )
    table = _definitions(results)
    return Section("indicator", "Indicators and cuts", (*blocks, table) if table.rows else tuple(blocks))


def _why(results: Results, name: str) -> str:
    """Return which indicator was chosen and why."""
    why = results.get("indicator.why")
    return f"Main indicator: {name}. {full_stop(why)}" if why else f"Main indicator: {name}."


def _cuts(results: Results) -> Table:
    """Return the fixed cut and the data-driven one, side by side."""
    percent = results.get("indicator.percent")
    rows = [
        Row(
            (
                f"lowest {percent:g} % of ordinary tokens" if percent is not None else "fixed share",
                Number(results.get("indicator.cut", results.get("indicator.threshold"))),
                Number(results.get("indicator.n_candidates")),
            )
        )
    ]
    if results.get("indicator.data_driven"):
        method = results.get("indicator.data_driven.method") or "data-driven"
        rows.append(
            Row(
                (
                    f"found in the data ({method})",
                    Number(results.get("indicator.data_driven.threshold")),
                    Number(results.get("indicator.data_driven.n_below")),
                )
            )
        )
    return Table(
        "cuts",
        "Where the line is drawn. The fixed share decides what is verified at least; the data decide "
        "how many "
        "tokens really stand apart.",
        ("cut", "value", "tokens below"),
        tuple(rows),
        len(rows),
    )


def _definitions(results: Results) -> Table:
    """Return the indicators that were computed, with what they are and their spread."""
    # How well held-out reference tokens rank below ordinary ones: 1 is perfect, 0.5 is chance.
    has_areas = bool(results.get("indicator.separation"))
    rows = []
    for name in results.indicators:
        values = results.tokens[name].replace([float("inf"), float("-inf")], float("nan")).dropna()
        quantiles: list[Cell] = [Number(float(value)) for value in values.quantile([0.0, 0.02, 0.5, 1.0])]
        area = results.get(f"indicator.separation.{name}")
        separation = (Number(area, 3),) if has_areas else ()
        rows.append(Row((name, DEFINITIONS[name], *quantiles, *separation)))
    return Table(
        "indicators",
        "All indicators computed; low means suspicious."
        + (
            " Separation: area under the curve of held-out reference tokens, 1 is perfect."
            if has_areas
            else ""
        ),
        (
            "indicator",
            "what it is",
            "lowest",
            "2 %",
            "median",
            "highest",
            *(("separation",) if has_areas else ()),
        ),
        tuple(rows),
        len(rows),
    )


def references(results: Results) -> Section | None:
    """Return how the tokens that are known to be untrained were found."""
    reference = results.get("reference")
    if not isinstance(reference, Mapping):
        return None
    how = reference.get("how") or []
    blocks: list[Block] = [Listing((how,) if isinstance(how, str) else tuple(how))]
    ids = [int(each) for each in reference.get("ids") or []]
    facts: list[tuple[str, Cell]] = [("reference tokens", Number(len(ids))), ("ids", id_ranges(ids) or None)]
    agreement = reference.get("agreement")
    if agreement is not None:
        facts.append(("mutual agreement (mean cosine, 1 = all the same)", Number(float(agreement), 3)))
    dropped = [int(each) for each in reference.get("dropped") or []]
    if dropped:
        facts.append(("dropped as outliers", id_ranges(dropped)))
    blocks.append(Facts(tuple(facts)))
    kinds = reference.get("kinds") or []
    if kinds:
        blocks.append(_kinds(kinds))
    if ids:
        blocks.append(
            token_table(
                results,
                results.where("is_reference", True),
                "reference-tokens",
                "The reference tokens.",
                [
                    ("reserved as", lambda row: text(row.get("reserved"))),
                    ("bytes", byte_string),
                    *verdict_columns(results),
                ],
            )
        )
    return Section("reference", "Reference tokens", tuple(blocks))


def _kinds(kinds: list[Mapping[str, Any]]) -> Table:
    """Return what each kind of evidence offered and what was kept of it."""
    rows = tuple(
        Row(
            (
                str(kind.get("kind", "")).replace("_", " "),
                Number(kind.get("count")),
                Number(kind.get("kept")),
                Number(kind.get("agreement"), 3),
            )
        )
        for kind in kinds
    )
    return Table(
        "reference-kinds",
        "Kinds of evidence that a token was never trained, and how well its tokens agree in embedding space.",
        ("evidence", "found", "kept", "agreement"),
        rows,
        len(rows),
    )
