"""What `sticky --method contraction` measured: the ordinary token, the screen, every token in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import Badge, Block, FigureBlock, Number, Paragraph, Row, Section, Table, Tokens
from forensics.report.results import Results
from forensics.report.sections.common import number
from forensics.report.sections.sticky_screen import screen_blocks
from forensics.report.visible import token_text

__all__ = ["contraction", "measured"]

#: Columns of the table of measured tokens.
_MEASURED = ("effect", "effect_low", "effect_high", "q_value", "validation", "slope", "fixed_point",
             "shift_below", "shift_above", "variance_ratio", "ndcg_in_queries", "ndcg_in_documents",
             "per_million")  # fmt: skip
#: Rows of the table.
_MOST_ROWS = 2_000


def contraction(results: Results) -> Section | None:
    """Return the ordinary token, the screen and the pairs of the worst tokens; None for `std`."""
    if results.get("method") != "contraction":
        return None
    first, second = results.get("ordinary_slope")
    text = (
        "For every probe and every reference sentence the cosine is taken before and after the insertion. "
        "The slope of after on before is 1 where a token changes nothing and 0 where all similarities become "
        f"one value. The median ordinary token has a slope of {first:.3f} on the first and {second:.3f} on "
        f"the second set of sentences; the effect of a token is 1 - its slope / that."
    )
    blocks: list[Block] = [
        Paragraph(text),
        FigureBlock("effects", "What the screen says of each token, and the tokens found."),
    ]
    blocks.append(Paragraph(_minimum_text(results)))
    blocks += screen_blocks(results)
    blocks.append(
        FigureBlock(
            "scatter",
            "Similarity before and after, worst tokens and an ordinary one; the dotted line is no "
            "change, the solid one the fit, the diamond lies at u.",
        )
    )
    return Section("contraction", "Contraction", tuple(blocks))


def _minimum_text(results: Results) -> str:
    """Say what the least effect is and where it comes from."""
    sample, spread = results.get("ordinary_sample"), results.get("ordinary_spread")
    errors = " and ".join(f"{error:.1%}" for error in results.get("ordinary_slope_error"))
    return (
        f"The ordinary token is the median of {sample} random ones; another sample of tokens would change "
        f"its slope by {errors} (standard error), which is part of every interval below. The effects of "
        f"ordinary tokens have a standard deviation of {spread:.3f}. The least effect that counts is "
        f"{results.get('minimum_effect'):.3f}: {results.get('minimum_effect_from')}."
    )


def measured(results: Results) -> Section | None:
    """Return the table of the tokens that were shortlisted or found."""
    if not results.has("effect"):
        return None
    chosen = results.where("shortlisted", True) | results.where("sticky", True)
    rows = results.tokens[chosen].sort_values("rank")
    names = tuple(name for name in _MEASURED if results.has(name))
    table = Table(
        name="measured",
        caption=(
            "Tokens measured in full, the largest effect first. effect_low and effect_high are the ends "
            "of the 95 % interval over probes; validation is the effect on the second set."
        ),
        columns=("rank", "id", "token", "verdict", *names),
        rows=tuple(_measured_row(record, names) for record in rows.head(_MOST_ROWS).to_dict("records")),
        total=len(rows),
    )
    return Section("tokens", "Measured tokens", (table, *_fixed_points(results)))


def _measured_row(record: Mapping[Any, Any], names: tuple[str, ...]) -> Row:
    badge = Badge("sticky", "bad") if record["sticky"] else Badge("not shown", "plain")
    return Row(
        (
            Number(int(record["rank"])),
            Number(int(record["token_id"]), grouped=False),
            Tokens((token_text(int(record["token_id"]), record["piece"]),)),
            badge,
            *(number(record[name], 3) for name in names),
        )
    )


def _fixed_points(results: Results) -> tuple[Block, ...]:
    """Say where the sticky tokens' fixed points lie relative to u."""
    sticky = results.tokens[results.where("sticky", True)]
    points = sticky["fixed_point"].dropna()
    if points.empty:
        return ()
    u = results.get("mean_token_similarity")
    low, middle, high = points.quantile([0.1, 0.5, 0.9])
    side = "below" if middle < u else "above"
    return (
        Paragraph(
            f"The fixed points of the sticky tokens have a median of {middle:.3f} (10 % to 90 %: "
            f"{low:.3f} to {high:.3f}), {side} u = {u:.3f}: that is where similarities are pulled to."
        ),
    )
