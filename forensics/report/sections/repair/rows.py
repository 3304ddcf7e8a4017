"""Which rows are replaced, by what, and in which tensors."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from forensics.report.blocks import Block, Cell, Code, Facts, FigureBlock, Number, Paragraph, Section
from forensics.report.declared import ID, MOST_ROWS, TOKEN, field, number, records, table, text
from forensics.report.results import Results
from forensics.report.wording import id_ranges
from forensics.schema.repair import RepairSummary, SizesEntry

__all__ = ["matrices", "rows", "sizes"]

_WHAT_IT_DOES = (
    "The row of a token that was never trained is whatever initialisation and weight decay left. A neutral "
    "row makes no token known: it keeps the model from saying it, and is a start for training it."
)
_COLUMNS = (
    "ein_norm_before", "ein_norm_after", "eout_norm_before", "eout_norm_after", "max_p_before", "max_p_after",
)  # fmt: skip


def rows(results: Results[RepairSummary]) -> Section | None:
    """Return the rows that are replaced or added."""
    frame = results.tables["rows"]
    if not len(frame):
        return None
    summary = results.summary
    blocks: list[Block] = [Paragraph(_WHAT_IT_DOES)]
    if summary.left_special:
        ids = id_ranges(summary.left_special)
        said = f"Rows equal to these that stay, because they are special, have a role or are kept: {ids}."
        blocks.append(Paragraph(said))
    blocks.append(FigureBlock("norms", "Norms of the rows before and after, below those of all rows."))
    blocks.append(
        table(
            "rows",
            "Rows that are replaced or added.",
            records(frame, ["token_id"], MOST_ROWS),
            ID,
            TOKEN,
            field("why", text),
            field("parts", _parts) if frame["parts"].notna().any() else None,
            *(field(name, partial(number, digits=3)) for name in _COLUMNS if name in frame.columns),
            total=len(frame),
            where_rest="rows.parquet",
        )
    )
    return Section("rows", "Rows", tuple(blocks))


def _parts(value: Any) -> Cell:
    return ", ".join(map(str, json.loads(value))) if isinstance(value, str) else None


def matrices(results: Results[RepairSummary]) -> Section:
    """Return the tensors that change."""
    found = results.summary.matrices
    return Section(
        "matrices",
        "Stored tensors",
        (
            table(
                "matrices",
                "Tensors with a row per token; a head of its own gets the mean whatever the method.",
                found,
                ("tensor", lambda each: Code(each.tensor)),
                ("role", lambda each: each.role),
                ("dtype", lambda each: each.dtype),
                ("method", lambda each: each.method),
                ("rows", lambda each: Number(each.rows)),
                ("of well-trained", lambda each: Number(each.trained)),
                ("mean norm before", lambda each: Number(each.mean_norm_before, 3)),
                ("after", lambda each: Number(each.mean_norm_after, 3)),
            ),
        ),
    )


def sizes(results: Results[RepairSummary]) -> Section:
    """Return the sizes that should agree, what was written, and the command that looks again."""
    summary = results.summary
    stages = [("before", summary.sizes_before), ("planned", summary.sizes_after)]
    if summary.written is not None:
        stages.append(("as read back", summary.written.sizes))
    names = ("config", "embedding", "head", "bias", "tokenizer")

    def column(name: str, entry: SizesEntry) -> tuple[str, Any]:
        return name, lambda size: Number(getattr(entry, size))

    blocks: list[Block] = [
        table(
            "sizes",
            "The sizes that should agree; a matrix may have more rows than the tokenizer has entries.",
            names,
            ("what", lambda name: name),
            *(column(name, entry) for name, entry in stages),
        )
    ]
    if summary.written is not None:
        blocks += _written(results, summary)
    return Section("written", "Sizes and files", tuple(blocks))


def _written(results: Results[RepairSummary], summary: RepairSummary) -> list[Block]:
    written = summary.written
    if written is None:
        return []
    verified = results.tables["rows"]
    again = ",".join(map(str, verified.loc[verified["why"] != "padding", "token_id"].head(20)))
    return [
        table(
            "copied",
            "Every file of the repaired model; all but those marked are the original's, byte for byte.",
            written.files,
            ("file", lambda each: Code(each.path)),
            ("bytes", lambda each: Number(each.size)),
            ("changed", lambda each: "yes" if each.changed else "no"),
            ("sha256", lambda each: Code(each.sha256)),
        ),
        Paragraph("A second scan shows the rows as they are now: identical, unknown, and expected nowhere."),
        Facts((("to look again", Code(f"forensics scan DIR/{written.folder} --tokens {again}")),)),
    ]
