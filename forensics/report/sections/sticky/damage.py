"""What sticky tokens do: to a search, and to the model's attention."""

from __future__ import annotations

from statistics import fmean

from forensics.report.blocks import FigureBlock, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.schema.sticky import StickySummary

__all__ = ["attention", "retrieval"]


def retrieval(results: Results[StickySummary]) -> Section | None:
    """Return nDCG@10 with sticky and with ordinary tokens; None where it was not tried."""
    tried, sticky = results.summary.retrieval, results.summary.sticky or 0
    if tried is None:
        return None
    tokens = tried.tokens
    queries, documents = [each.in_queries for each in tokens], [each.in_documents for each in tokens]
    ordinary = f"ordinary tokens, mean of {len(tried.ordinary_tokens)}"
    lines = (
        ("nothing", tried.untouched, tried.untouched),
        (ordinary, tried.ordinary_in_queries, tried.ordinary_in_documents),
        (f"sticky tokens, mean of {len(tokens)}", fmean(queries), fmean(documents)),
        ("the worst sticky token", min(queries), min(documents)),
    )
    shown = table(
        "ndcg",
        "nDCG@10.",
        lines,
        ("inserted", lambda line: line[0]),
        ("in the queries", lambda line: Number(line[1], 3)),
        ("in the document sought", lambda line: Number(line[2], 3)),
    )
    some = f"the {len(tokens)} worst of {sticky} sticky tokens"
    text = (
        f"{tried.queries} queries (headings of the Python reference) over {tried.documents} documents (their "
        f"sections), one relevant document each; {tried.copies} copies of the token at the start of every "
        "query, or of the one document that a query seeks. Tried with "
        f"{'every sticky token' if len(tokens) >= sticky else some}."
    )
    figure = FigureBlock("retrieval", "nDCG@10 with the token, against its effect.")
    return Section("retrieval", "What it does to retrieval", (Paragraph(text), shown, figure))


def attention(results: Results[StickySummary]) -> Section | None:
    """Return the attention that the copies take; None for a model that hides it."""
    seen = results.summary.attention
    if seen is None or not seen.shares.get("sticky"):
        return None
    text = (
        "The share of attention that the copies receive, averaged over heads and over the positions that "
        "attend, by layer; thin lines are tokens, thick ones their mean."
    )
    caption = "Share of attention on the inserted copies: worst sticky tokens against ordinary ones."
    return Section("attention", "Attention", (Paragraph(text), FigureBlock("attention", caption)))
