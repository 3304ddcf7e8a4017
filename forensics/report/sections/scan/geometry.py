"""The shape of the embedding matrix and its rows by frequency: context, never a verdict."""

from __future__ import annotations

from collections.abc import Callable

from forensics.report.blocks import Block, Cell, Facts, Number, Paragraph, Section
from forensics.report.declared import Column, table
from forensics.report.results import Results
from forensics.report.wording import spaced
from forensics.schema.scan import (
    ByCountSummary,
    CountEntry,
    EstimateSummary,
    FrequencyEntry,
    GeometrySummary,
    ScanSummary,
)

__all__ = ["by_frequency", "geometry"]

_WHAT = (
    "None of these numbers says anything about a token, and between a model and its derivative they are "
    "nearly equal. Dimension grows with quantisation: compare equal storage types only. IsoScore is "
    "(participation ratio - 1) / (d - 1). The column fiber_p tells whether the density changes around a row "
    "as no fiber bundle allows; its sign for untrained rows differs between models (area .86, .11 and .40 on "
    "three)."
)
_FREQUENCY = (
    "Byte-pair merges come in the order of frequency, so ids stand for it: rare rows lie in a cone of their "
    "own. A trend says how this model was trained, not which token is untrained."
)


def geometry(results: Results[ScanSummary]) -> Section | None:
    """Return the numbers about all rows together, where they were asked for."""
    found = results.summary.geometry
    if found is None:
        return None
    blocks: tuple[Block, ...] = (Paragraph(_WHAT), Facts(_facts(found)))
    return Section("geometry", "Geometry of the matrix", blocks)


def _facts(found: GeometrySummary) -> tuple[tuple[str, Cell], ...]:
    scales = ", ".join("-" if each is None else f"{each:.3g}" for each in found.ratio_dimension)
    return (
        ("rows", Number(found.rows)),
        ("rows left out: equal to another, or without direction", Number(found.rows_left_out)),
        ("mean cosine between two rows", Number(found.mean_cosine, 3)),
        ("length of the mean row / root mean square norm", Number(found.mean_row, 3)),
        ("IsoScore (1 = a ball, 0 = a line)", Number(found.iso_score, 3)),
        ("participation ratio", Number(found.participation_ratio, 3)),
        ("directions that hold 90 % of the variance", Number(found.rank_90)),
        ("partition function, smallest / largest", Number(found.partition_ratio, 3)),
        ("NC2: variation of the centred norms", Number(found.norm_variation, 3)),
        ("NC2: spread of the centred cosines", Number(found.cosine_spread, 3)),
        ("that spread at random", Number(found.cosine_spread_random, 3)),
        ("dimension, two nearest neighbours", Number(found.two_nn, 3)),
        ("dimension, Levina and Bickel, 20 neighbours", Number(found.levina_bickel_20, 3)),
        ("dimension, Levina and Bickel, 100 neighbours", Number(found.levina_bickel_100, 3)),
        ("ratio dimension at neighbours 1, 4, 16, 64", scales),
    )


def by_frequency(results: Results[ScanSummary]) -> Section | None:
    """Return rows by the order of their ids, and by count where the user gave a text."""
    entries = results.summary.by_frequency
    if not entries:
        return None
    columns = [(spaced(name), _mean(name)) for name in entries[0].means]
    shown = table(
        "by-frequency",
        "Means over tenths of the ordinary tokens.",
        entries,
        ("ids", lambda entry: entry.name),
        ("tokens", lambda entry: Number(entry.tokens)),
        *columns,
        where_rest="summary.json",
    )
    counted = results.summary.by_count
    more = () if counted is None else _by_count(counted)
    return Section("by-frequency", "Rows by frequency", (Paragraph(_FREQUENCY), shown, *more))


def _by_count(counted: ByCountSummary) -> tuple[Block, ...]:
    """Return rows by how often their tokens occur in a text, with what the model loses on them."""
    said = (
        f"Counted were {counted.text_tokens:,} tokens of the text given. {counted.held_out:,} more, in "
        "stretches far apart, were not counted: the model was read on them if it was run. The loss is the "
        "mean of -log p of the ordinary tokens that stand there, in nats, with its 95 % interval over "
        "stretches. It says something of rare tokens only if the model was not trained on this text."
    )
    has_loss = any(entry.targets is not None for entry in counted.strata)
    names = counted.strata[0].means if counted.strata else ()
    columns: list[Column[CountEntry] | None] = [
        ("in the text", lambda entry: entry.name),
        ("tokens", lambda entry: Number(entry.tokens)),
        *((spaced(name), _mean(name)) for name in names),
        ("targets", lambda entry: Number(entry.targets)) if has_loss else None,
        ("loss", lambda entry: Number(entry.loss.value if entry.loss else None, 3)) if has_loss else None,
        ("95 % interval", lambda entry: _nats(entry.loss)) if has_loss else None,
    ]
    title = "Means over the ordinary tokens by how often they occur in a text."
    shown = table("by-count", title, counted.strata, *columns, where_rest="summary.json")
    return Paragraph(said), shown


def _nats(loss: EstimateSummary | None) -> str | None:
    low, high = (None, None) if loss is None else loss.interval
    return None if low is None or high is None else f"{low:.2f} to {high:.2f}"


def _mean(name: str) -> Callable[[FrequencyEntry | CountEntry], Cell]:
    return lambda entry: Number(entry.means.get(name), 3)
