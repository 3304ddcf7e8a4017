"""What `sticky --method contraction` measured: the ordinary token, the screen, every token in full."""

from __future__ import annotations

from functools import partial

from forensics.report.blocks import Badge, Block, FigureBlock, Number, Paragraph, Section, Tokens
from forensics.report.declared import ID, Column, count, field, number, records, table
from forensics.report.results import Record, Results
from forensics.report.visible import token_text
from forensics.schema.sticky import ScreenSummary, StickySummary

__all__ = ["PIECE", "contraction", "measured"]

#: Columns of the table of measured tokens.
_MEASURED = ("effect", "effect_low", "effect_high", "q_value", "validation", "slope", "fixed_point",
             "shift_below", "shift_above", "variance_ratio", "ndcg_in_queries", "ndcg_in_documents",
             "per_million")  # fmt: skip
#: Rows of the table.
_MOST_ROWS = 2_000
#: A token as it is spelt in the vocabulary: continuations differ from beginnings.
PIECE: Column[Record] = ("token", lambda row: Tokens((token_text(int(row["token_id"]), row["piece"]),)))
_SCATTER = (
    "Similarity before and after, worst tokens and an ordinary one; the dotted line is no change, the solid "
    "one the fit, the diamond lies at u."
)


def contraction(results: Results[StickySummary]) -> Section | None:
    """Return the ordinary token, the screen and the pairs of the worst tokens; None for `std`."""
    summary = results.summary
    if summary.ordinary_slope is None:
        return None
    first, second = summary.ordinary_slope
    text = (
        "For every probe and every reference sentence the cosine is taken before and after the insertion. "
        "The slope of after on before is 1 where a token changes nothing and 0 where all similarities become "
        f"one value. The median ordinary token has a slope of {first:.3f} on the first and {second:.3f} on "
        "the second set of sentences; the effect of a token is 1 - its slope / that."
    )
    blocks: list[Block] = [
        Paragraph(text),
        FigureBlock("effects", "What the screen says of each token, and the tokens found."),
        Paragraph(_minimum_text(summary)),
    ]
    if summary.screen is not None and summary.screen.bands:
        blocks += _screen(summary.screen)
    return Section("contraction", "Contraction", (*blocks, FigureBlock("scatter", _SCATTER)))


def _minimum_text(summary: StickySummary) -> str:
    """Say what the least effect is and where it comes from."""
    errors = " and ".join(f"{error:.1%}" for error in summary.ordinary_slope_error or ())
    return (
        f"The ordinary token is the median of {summary.ordinary_sample} random ones; another sample of "
        f"tokens would change its slope by {errors} (standard error), which is part of every interval below. "
        f"The effects of ordinary tokens have a standard deviation of {summary.ordinary_spread:.3f}. The "
        f"least effect that counts is {summary.minimum_effect:.3f}: {summary.minimum_effect_from}."
    )


def _screen(screen: ScreenSummary) -> list[Block]:
    """Return what was measured below the screen's bar, and how many sticky tokens that leaves unfound."""
    agreement = f" On the ordinary tokens the two agree at Spearman {screen.spearman:.2f}."
    text = (
        "The screen looks at every token with few probes; only what it ranks high is measured in full."
        f"{'' if screen.spearman is None else agreement} By its error on them, a token found had a known "
        f"chance to pass the bar, and {screen.slipped_by_error:.2g} sticky tokens are to be expected below "
        "it. Random tokens from below the bar were measured in full too, by bands of the screen's value: "
        f"{screen.found_below_the_bar} of them were sticky. Of the tokens that nobody measured, at most "
        f"{screen.missed_at_most} are sticky (95 %, if the screen's error is normal)."
    )
    bands = table(
        "bands",
        "Tokens below the bar of the screen.",
        screen.bands,
        ("screen", lambda band: f"{band.low:.2f} to {band.high:.2f}"),
        ("tokens", lambda band: Number(band.tokens)),
        ("measured", lambda band: Number(band.measured)),
        ("mean effect", lambda band: Number(band.mean, 3)),
        ("largest effect", lambda band: Number(band.largest, 3)),
        ("sticky", lambda band: Number(band.sticky)),
    )
    return [Paragraph(text), bands]


def measured(results: Results[StickySummary]) -> Section | None:
    """Return the table of the tokens that were shortlisted or found."""
    if not results.has("effect"):
        return None
    rows = results.tokens[results.where("shortlisted", True) | results.where("sticky", True)]
    shown = table(
        "measured",
        "Tokens measured in full, the largest effect first. effect_low and effect_high are the ends of the "
        "95 % interval over probes; validation is the effect on the second set.",
        records(rows, ["rank"], _MOST_ROWS),
        field("rank", count),
        ID,
        PIECE,
        ("verdict", lambda row: Badge("sticky", "bad") if row["sticky"] else Badge("not shown")),
        *(field(name, partial(number, digits=3)) for name in _MEASURED if results.has(name)),
        total=len(rows),
    )
    return Section("tokens", "Measured tokens", (shown, *_fixed_points(results)))


def _fixed_points(results: Results[StickySummary]) -> tuple[Block, ...]:
    """Say where the sticky tokens' fixed points lie relative to u."""
    points = results.tokens.loc[results.where("sticky", True), "fixed_point"].dropna()
    if points.empty:
        return ()
    u = results.summary.mean_token_similarity
    low, middle, high = points.quantile([0.1, 0.5, 0.9])
    said = (
        f"The fixed points of the sticky tokens have a median of {middle:.3f} (10 % to 90 %: {low:.3f} to "
        f"{high:.3f}), {'below' if middle < u else 'above'} u = {u:.3f}: that is where similarities are "
        "pulled to."
    )
    return (Paragraph(said),)
