"""What the screen of a `sticky` run lets slip, band by band."""

from __future__ import annotations

from forensics.report.blocks import Block, Number, Paragraph, Row, Table
from forensics.report.results import Results

__all__ = ["screen_blocks"]


def screen_blocks(results: Results) -> list[Block]:
    """Return what was measured below the screen's bar, and how many sticky tokens that leaves unfound."""
    rank, bands = results.get("screen.spearman"), results.get("screen.bands")
    if not bands:
        return []
    agreement = "" if rank is None else f" On the ordinary tokens the two agree at Spearman {rank:.2f}."
    text = (
        "The screen looks at every token with few probes; only what it ranks high is measured in full."
        f"{agreement} By its error on them, a token found had a known chance to pass the bar, and "
        f"{results.get('screen.slipped_by_error'):.2g} sticky tokens are to be expected below it. Random "
        "tokens from below the bar were measured in full too, by bands of the screen's value: "
        f"{results.get('screen.found_below_the_bar')} of them were sticky. Of the tokens that nobody "
        "measured, "
        f"at most {results.get('screen.missed_at_most')} are sticky (95 %, if the screen's error is normal)."
    )
    rows = tuple(
        Row(
            (
                f"{band['low']:.2f} to {band['high']:.2f}",
                Number(band["tokens"]),
                Number(band["measured"]),
                Number(band["mean"], 3),
                Number(band["largest"], 3),
                Number(band["sticky"]),
            )
        )
        for band in bands
    )
    heads = ("screen", "tokens", "measured", "mean effect", "largest effect", "sticky")
    return [Paragraph(text), Table("bands", "Tokens below the bar of the screen.", heads, rows, len(rows))]
