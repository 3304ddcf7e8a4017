"""What a search for sticky tokens found, in a sentence and a few numbers."""

from __future__ import annotations

from forensics.report.blocks import Tile
from forensics.report.results import Results
from forensics.schema.sticky import StickySummary

__all__ = ["headline", "tiles"]


def headline(results: Results[StickySummary]) -> str:
    """Return what was found, with what it was tested against, in plain sentences."""
    summary = results.summary
    if summary.method == "std":
        return _published_headline(summary)
    asked, screened = summary.asked_for, summary.screen.sample if summary.screen else 0
    scope = (
        f"{summary.available:,} tokens that a text can hold"
        if asked is None
        else f"the {asked:,} tokens asked for and {screened:,} random ones"
    )
    least = f"at least {summary.minimum_effect or 0:.0%} more than the median ordinary token"
    if not (found := summary.sticky):
        return (
            f"None found: of {scope}, none contracts the differences between similarities by {least}, on "
            "both sets of sentences."
        )
    return (
        f"{found:,} of {scope} {'is' if found == 1 else 'are'} sticky: {summary.insertions} copies contract "
        f"the differences between similarities by {least} does, at a false-discovery rate of "
        f"{summary.false_discovery_rate:.0%}, confirmed on a second set of sentences."
    )


def _published_headline(summary: StickySummary) -> str:
    """Return the headline of the published procedure."""
    if summary.sticky is None:
        return (
            "Scores and validation values of the tokens asked for; there is no verdict on part of a "
            "vocabulary."
        )
    return (
        f"The published procedure calls {summary.sticky:,} of {summary.available:,} tokens sticky, out of a "
        f"shortlist of {summary.shortlisted:,}. Its fence cuts off a share of any shortlist; see the notes."
    )


def tiles(results: Results[StickySummary]) -> tuple[Tile, ...]:
    """Return the numbers to be read at a glance."""
    summary = results.summary
    out: list[Tile] = []
    if summary.sticky is not None:
        asked = summary.asked_for
        of = f"of {summary.available:,}" if asked is None else f"{asked:,} were asked for"
        out.append(Tile("sticky tokens", f"{summary.sticky:,}", of, "bad" if summary.sticky else "good"))
    if summary.shortlisted is not None:
        what = "validated" if summary.method == "std" else "measured in full"
        out.append(Tile("shortlisted", f"{summary.shortlisted:,}", what))
    sample = summary.mean_token_similarity_sample
    of = "the vocabulary's entries" if sample is None else f"{sample:,} random entries"
    out.append(Tile("u", f"{summary.mean_token_similarity:.3f}", f"mean similarity of {of}"))
    screen, corpora = summary.screen, summary.corpora
    if screen is not None and screen.missed_at_most is not None:
        note = f"95 % bound; {screen.expected_missed:.2g} expected"
        out.append(Tile("missed by the screen", f"≤ {screen.missed_at_most:,.0f}", note))
    if corpora is not None and corpora.sticky_per_million is not None:
        rate = f"{corpora.sticky_per_million:,.1f}"
        out.append(Tile("in your text", rate, "sticky tokens per million tokens"))
    return tuple(out)
