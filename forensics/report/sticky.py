"""The report of `sticky`: what was found, how sure that is, and what it does to a user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.report.blocks import Document, Tile
from forensics.report.pages import write_pages
from forensics.report.results import Results
from forensics.report.sections.run import notes, provenance
from forensics.report.sections.sticky_contraction import contraction, measured
from forensics.report.sections.sticky_damage import attention, retrieval
from forensics.report.sections.sticky_occurrence import occurrence
from forensics.report.sections.sticky_published import published

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["render_sticky", "sticky_document", "sticky_headline", "sticky_html"]


def render_sticky(folder: Path, results: Results) -> list[Path]:
    """Write `report.md`, its plots and `report.html`; return the files, `report.html` first."""
    from forensics.report.sticky_plots import draw_sticky_plots

    return write_pages(folder, sticky_document(results), draw_sticky_plots(results))


def sticky_html(tokens: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """Return what a notebook shows of a result: the headline and the worst tokens."""
    from html import escape

    results = Results(tokens, summary, {})
    columns = [c for c in ("token_id", "piece", "rank", "effect", "validation", "q_value", "sticky", "slope",
                           "sticky_score") if c in tokens.columns]  # fmt: skip
    worst = tokens[tokens["rank"].notna()].sort_values("rank").head(10)[columns]
    return f"<p><b>{escape(sticky_headline(results))}</b></p>{worst.to_html(index=False)}"


def sticky_document(results: Results) -> Document:
    """Return the report of a sticky run."""
    import forensics

    makers = (contraction, measured, retrieval, attention, published, occurrence, notes, provenance)
    sections = tuple(section for make in makers if (section := make(results)) is not None)
    version = results.manifest.get("versions", {}).get("forensics", forensics.__version__)
    return Document(
        title=f"{results.get('name', 'model')}: sticky tokens",
        subtitle=(
            f"method {results.get('method')}, {results.get('pooling.mode')} pooling, "
            f"{results.get('tokenizer.type')} tokenizer of {results.get('tokenizer.vocab_size', 0):,} entries"
        ),
        headline=sticky_headline(results),
        tiles=_tiles(results),
        sections=sections,
        made_by=f"forensics {version}",
    )


def sticky_headline(results: Results) -> str:
    """Return what was found, with what it was tested against, in plain sentences."""
    found, available = results.get("sticky"), results.get("available", 0)
    copies = results.get("insertions")
    if results.get("method") == "std":
        if found is None:
            return (
                "Scores and validation values of the tokens asked for; there is no verdict on part of a "
                "vocabulary."
            )
        return (
            f"The published procedure calls {found:,} of {available:,} tokens sticky, out of a shortlist of "
            f"{results.get('shortlisted'):,}. Its fence cuts off a share of any shortlist; see the notes."
        )
    minimum, asked = results.get("minimum_effect", 0), results.get("asked_for")
    scope = (
        f"{available:,} tokens that a text can hold"
        if asked is None
        else f"the {asked:,} tokens asked for and {results.get('screen.sample', 0):,} random ones"
    )
    if not found:
        return (
            f"None found: of {scope}, none contracts the differences between similarities by at least "
            f"{minimum:.0%} more than the median ordinary token, on both sets of sentences."
        )
    return (
        f"{found:,} of {scope} {'is' if found == 1 else 'are'} sticky: {copies} copies contract the "
        f"differences between similarities by at least {minimum:.0%} more than the median ordinary token "
        f"does, at a false-discovery rate of {results.get('false_discovery_rate'):.0%}, confirmed on a "
        "second set of sentences."
    )


def _tiles(results: Results) -> tuple[Tile, ...]:
    tiles = []
    if results.get("sticky") is not None:
        tone = "bad" if results.get("sticky") else "good"
        asked = results.get("asked_for")
        of = f"of {results.get('available'):,}" if asked is None else f"{asked:,} were asked for"
        tiles.append(Tile("sticky tokens", f"{results.get('sticky'):,}", of, tone))
    if results.get("shortlisted") is not None:
        what = "validated" if results.get("method") == "std" else "measured in full"
        tiles.append(Tile("shortlisted", f"{results.get('shortlisted'):,}", what))
    u = results.get("mean_token_similarity")
    sample = results.get("mean_token_similarity_sample")
    of = "the vocabulary's entries" if sample is None else f"{sample:,} random entries"
    tiles.append(Tile("u", f"{u:.3f}", f"mean similarity of {of}"))
    missed = results.get("screen.missed_at_most")
    if missed is not None:
        note = f"95 % bound; {results.get('screen.expected_missed'):.2g} expected"
        tiles.append(Tile("missed by the screen", f"≤ {missed:,.0f}", note))
    rate = results.get("corpora.sticky_per_million")
    if rate is not None:
        tiles.append(Tile("in your text", f"{rate:,.1f}", "sticky tokens per million tokens"))
    return tuple(tiles)
