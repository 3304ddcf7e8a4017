"""The report of `sticky`: what was found, how sure that is, and what it does to a user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.report.blocks import (
    Badge,
    Block,
    Cell,
    Document,
    Facts,
    FigureBlock,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
    Tile,
    Tokens,
)
from forensics.report.files import write_json
from forensics.report.pages import write_pages
from forensics.report.results import Results
from forensics.report.sections.common import number
from forensics.report.sections.run import notes, provenance
from forensics.report.sticky_table import write_sticky_tokens
from forensics.report.visible import token_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["render_sticky", "save_sticky", "sticky_document", "sticky_headline", "sticky_html"]

#: Rows of the table of measured tokens.
_MOST_ROWS = 2_000


def save_sticky(
    folder: Path, tokens: pd.DataFrame, summary: Mapping[str, Any], manifest: Mapping[str, Any]
) -> list[Path]:
    """Write a run's data files into `folder`, then the reports that are rendered from them.

    :return: The files written, `report.html` first.
    :raises OutputError: If anything cannot be written.
    """
    from forensics.report.render import render

    data = [
        write_sticky_tokens(folder / "tokens.parquet", tokens),
        write_json(folder / "manifest.json", manifest),
        write_json(folder / "summary.json", summary),
    ]
    return [*render(folder), *data]


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

    makers = (_effects, _measured, _retrieval, _attention, _published, notes, provenance)
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
        f"differences between similarities by at least {minimum:.0%} more than the median ordinary "
        f"token does, "
        f"at a false-discovery rate of {results.get('false_discovery_rate'):.0%}, confirmed on a second "
        f"set of "
        "sentences."
    )


def _tiles(results: Results) -> tuple[Tile, ...]:
    tiles = []
    if results.get("sticky") is not None:
        tone = "bad" if results.get("sticky") else "good"
        tiles.append(
            Tile("sticky tokens", f"{results.get('sticky'):,}", f"of {results.get('available'):,}", tone)
        )
    if results.get("shortlisted") is not None:
        tiles.append(Tile("shortlisted", f"{results.get('shortlisted'):,}", "measured in full"))
    u = results.get("mean_token_similarity")
    tiles.append(Tile("u", f"{u:.3f}", "mean similarity of the vocabulary's entries"))
    missed = results.get("screen.missed_at_most")
    if missed is not None:
        note = f"95 % bound from {results.get('screen.sample')} random tokens"
        tiles.append(Tile("missed by the screen", f"≤ {missed:,.0f}", note))
    return tuple(tiles)


def _effects(results: Results) -> Section | None:
    if results.get("method") != "contraction":
        return None
    first, second = results.get("ordinary_slope")
    kept, above = results.get("screen.above_minimum_kept"), results.get("screen.above_minimum")
    text = (
        "For every probe and every reference sentence the cosine is taken before and after the "
        "insertion. The "
        "slope of after on before is 1 where a token changes nothing and 0 where all similarities become one "
        f"value. The median ordinary token has a slope of {first:.3f} on the first and {second:.3f} on "
        f"the second set of sentences; the effect of a token is 1 - its slope / that."
    )
    blocks: list[Block] = [
        Paragraph(text),
        FigureBlock("effects", "The screen of all tokens, and those found."),
    ]
    if above is not None:
        rank = results.get("screen.spearman")
        blocks.append(
            Paragraph(
                f"The screen against the full measurement on {results.get('screen.sample')} random "
                f"tokens: Spearman "
                f"{rank:.2f}; of {above} with a measured effect of at least the minimum it kept {kept}; of "
                f"{results.get('screen.sticky')} sticky ones it missed {results.get('screen.sticky_missed')}."
            )
        )
    blocks.append(
        FigureBlock(
            "scatter",
            "Similarity before and after, worst tokens and an ordinary one; the dotted line is no "
            "change, the solid one the fit, the diamond lies at u.",
        )
    )
    return Section("contraction", "Contraction", tuple(blocks))


def _measured(results: Results) -> Section | None:
    if not results.has("effect"):
        return None
    rows = results.tokens[results.where("shortlisted", True)].sort_values("rank")
    names = ("effect", "effect_low", "effect_high", "q_value", "validation", "slope", "fixed_point",
             "shift_below", "shift_above", "variance_ratio")  # fmt: skip
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
            Number(int(record["token_id"])),
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


def _retrieval(results: Results) -> Section | None:
    data = results.get("retrieval")
    if not data:
        return None
    tokens = data["tokens"]
    facts: list[tuple[str, Cell]] = [("nDCG@10 with nothing inserted", Number(data["untouched"], 3))]
    for key, where in (("in_queries", "in the queries"), ("in_documents", "in the document sought")):
        values = sorted(row[key] for row in tokens)
        facts.append(
            (
                f"ordinary tokens, {where}, mean of {data['ordinary_tokens']}",
                Number(data[f"ordinary_{key}"], 3),
            )
        )
        facts.append((f"sticky tokens, {where}, mean of {len(values)}", Number(sum(values) / len(values), 3)))
        facts.append((f"the worst sticky token, {where}", Number(values[0], 3)))
    text = (
        f"{data['queries']} queries (headings of the Python reference) over {data['documents']} "
        f"documents (their "
        f"sections), one relevant document each; {data['copies']} copies of the token at the start of "
        f"every query, or of the one document that a query seeks."
    )
    return Section(
        "retrieval",
        "What it does to retrieval",
        (Paragraph(text), Facts(tuple(facts)), FigureBlock("retrieval", "nDCG@10 of every sticky token.")),
    )


def _attention(results: Results) -> Section | None:
    if not results.get("attention.shares.sticky"):
        return None
    text = (
        "The share of attention that the copies receive, averaged over heads and over the positions "
        "that attend, by layer; thin lines are tokens, thick ones their mean."
    )
    caption = "Share of attention on the inserted copies: worst sticky tokens against ordinary ones."
    return Section("attention", "Attention", (Paragraph(text), FigureBlock("attention", caption)))


def _published(results: Results) -> Section | None:
    if results.get("method") != "std":
        return None
    rows = results.tokens[results.tokens["validation"].notna()].sort_values("rank")
    body = tuple(
        Row(
            (
                Number(int(record["rank"])),
                Number(int(record["token_id"])),
                Tokens((token_text(int(record["token_id"]), record["piece"]),)),
                number(record["sticky_score"], 5),
                number(record["validation"], 4),
                None
                if "sticky" not in record
                else Badge("sticky", "bad")
                if record["sticky"]
                else Badge("no"),
            )
        )
        for record in rows.head(_MOST_ROWS).to_dict("records")
    )
    table = Table(
        "validated", "Validated tokens, the highest score first.",
        ("rank", "id", "token", "sticky_score", "validation", "verdict"), body, len(rows),
    )  # fmt: skip
    facts = Facts(
        (
            ("least score of the shortlist", number(results.get("score_threshold"), 5)),
            ("fence of the validation values", number(results.get("validation_fence"), 4)),
            ("Spearman of score and validation", number(results.get("score_validation_spearman"), 2)),
        )
    )
    return Section(
        "published",
        "The published procedure",
        (facts, FigureBlock("published", "Score and validation."), table),
    )
