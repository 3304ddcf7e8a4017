"""Texts against controls: the blind classifier first, then the scores."""

from __future__ import annotations

from functools import partial
from textwrap import shorten

from forensics.report.blocks import Block, Code, FigureBlock, Number, Paragraph, Section
from forensics.report.declared import MOST_ROWS, field, number, records, table, text
from forensics.report.results import Results
from forensics.schema.membership import SCORES, MembershipSummary

__all__ = ["scores", "texts"]

_BLIND = (
    "A ridge on groups of three characters, which never saw the model, was asked which set each text is "
    "from. What it can tell, every score of a model can pick up, too. A p-value is given only where it "
    "tells nothing, and speaks of the sets as a whole: the controls must be texts of the same source that "
    "differ in nothing but whether they were seen."
)
_WITHOUT = (
    "Without controls nothing can be concluded: whether a text is likely depends on what it is about "
    "first. The percentile says where its scores lie among embedded text of like length."
)


#: Name, area, its interval, p, meaning.
Line = tuple[str, float | None, tuple[float, float] | None, float | None, str]


def scores(results: Results[MembershipSummary]) -> Section | None:
    """Return the areas under the curve, of the blind classifier and of each score."""
    sets = results.summary.sets
    if sets is None:
        return None
    if sets.blind is None:
        return Section("scores", "Scores", (Paragraph(_WITHOUT, "warn"),))
    blind = sets.blind
    lines: list[Line] = [("blind classifier", blind.auroc, blind.interval, None, "characters alone")]
    lines += [(each.name, each.auroc, each.interval, each.p, each.meaning) for each in sets.scores]
    said = (
        f"{sets.texts:,} texts against {sets.controls:,} controls: area under the curve, 1 where every "
        "text scores higher than every control, .5 by chance."
    )
    blocks: list[Block] = [
        Paragraph(_BLIND),
        table(
            "scores",
            said,
            lines,
            ("score", lambda line: line[0]),
            ("area", lambda line: Number(line[1], 3)),
            ("95 % interval", lambda line: f"{line[2][0]:.3f} to {line[2][1]:.3f}" if line[2] else None),
            ("p", lambda line: None if line[3] is None else Number(line[3], 3)),
            ("what it is", lambda line: line[4]),
        ),
        FigureBlock("areas", "Area under the curve with its interval; the line is the blind limit."),
    ]
    if blind.separates:
        warning = (
            f"The two sets differ without the model (lower limit {blind.interval[0]:.2f}, more than "
            f"{blind.limit}): no conclusion."
        )
        blocks.insert(0, Paragraph(warning, "warn"))
    return Section("scores", "Scores", tuple(blocks))


def texts(results: Results[MembershipSummary]) -> Section | None:
    """Return the texts with their scores."""
    if results.summary.sets is None:
        return None
    frame = results.tables["texts"]
    shown = [name for name in (*SCORES, "blind", "percentile") if name in frame.columns]
    return Section(
        "texts",
        "Texts",
        (
            table(
                "texts",
                "Every text with its scores; higher means more like one that was seen.",
                records(frame, ["set", "index"], MOST_ROWS),
                field("set", text),
                ("index", lambda row: Number(int(row["index"]), grouped=False)),
                ("beginning", lambda row: Code(shorten(str(row["beginning"]), 60, placeholder=" …"))),
                ("tokens", lambda row: Number(int(row["tokens"]))),
                *(field(name, partial(number, digits=3)) for name in shown),
                total=len(frame),
                where_rest="texts.parquet",
            ),
        ),
    )
