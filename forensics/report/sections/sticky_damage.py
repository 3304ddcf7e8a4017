"""What sticky tokens do: to a search, and to the model's attention."""

from __future__ import annotations

from forensics.report.blocks import FigureBlock, Number, Paragraph, Row, Section, Table
from forensics.report.results import Results

__all__ = ["attention", "retrieval"]


def retrieval(results: Results) -> Section | None:
    """Return nDCG@10 with sticky and with ordinary tokens; None where it was not tried."""
    data = results.get("retrieval")
    if not data:
        return None
    tokens = data["tokens"]
    keys = ("in_queries", "in_documents")
    sets = [sorted(row[key] for row in tokens) for key in keys]
    lines: list[tuple[str, list[float | None]]] = [
        ("nothing", [data["untouched"]] * 2),
        (
            f"ordinary tokens, mean of {len(data['ordinary_tokens'])}",
            [data[f"ordinary_{key}"] for key in keys],
        ),
        (f"sticky tokens, mean of {len(tokens)}", [sum(values) / len(values) for values in sets]),
        ("the worst sticky token", [values[0] for values in sets]),
    ]
    table = Table(
        "ndcg",
        "nDCG@10.",
        ("inserted", "in the queries", "in the document sought"),
        tuple(Row((name, *(Number(value, 3) for value in values))) for name, values in lines),
        len(lines),
    )
    sticky, tried = results.get("sticky", 0), len(tokens)
    which = "every sticky token" if tried >= sticky else f"the {tried} worst of {sticky} sticky tokens"
    text = (
        f"{data['queries']} queries (headings of the Python reference) over {data['documents']} "
        f"documents (their "
        f"sections), one relevant document each; {data['copies']} copies of the token at the start of "
        f"every query, or of the one document that a query seeks. Tried with {which}."
    )
    return Section(
        "retrieval",
        "What it does to retrieval",
        (
            Paragraph(text),
            table,
            FigureBlock("retrieval", "nDCG@10 with the token, against its effect."),
        ),
    )


def attention(results: Results) -> Section | None:
    """Return the attention that the copies take; None for a model that hides it."""
    if not results.get("attention.shares.sticky"):
        return None
    text = (
        "The share of attention that the copies receive, averaged over heads and over the positions "
        "that attend, by layer; thin lines are tokens, thick ones their mean."
    )
    caption = "Share of attention on the inserted copies: worst sticky tokens against ordinary ones."
    return Section("attention", "Attention", (Paragraph(text), FigureBlock("attention", caption)))
