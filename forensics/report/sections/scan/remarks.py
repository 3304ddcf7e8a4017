"""What a reader must know to trust the counts of the verification: floor, controls, recall, stop."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report.blocks import Paragraph
from forensics.report.wording import full_stop, interval_text, spaced, spread
from forensics.schema.scan import ControlsSummary, FloorSummary, RecallSummary, VerificationSummary

__all__ = ["controls_sentence", "floor_sentence", "remarks"]


def remarks(found: VerificationSummary) -> Iterator[Paragraph]:
    """Yield the sentences in the order a sceptic asks for them."""
    if found.controls is not None and found.controls.tested:
        said = controls_sentence(found.controls)
        if found.prompts_unsuitable:
            blames = f"{said}, so it does not follow these prompts and the verdicts blame nobody."
            yield Paragraph(blames, "warn")
        else:
            yield Paragraph(f"{said}.")
    if floor := floor_sentence(found.false_alarm_floor):
        yield Paragraph(f"{floor} A verified token is therefore a finding, not yet a proof.")
    if found.recall is not None:
        yield from _recall(found.recall)
    if found.stopped:
        yield Paragraph(full_stop(f"Where the search down the ranking stopped: {found.stopped}"))
    if found.left_out:
        parts = ", ".join(f"{count:,} {spaced(role)}" for role, count in found.left_out.items())
        yield Paragraph(f"Not tested, because their group is large: {parts}.")


def controls_sentence(controls: ControlsSummary) -> str:
    """Return whether the model repeats tokens that it knows for certain, without a full stop."""
    return (
        f"Controls: the model repeats {controls.passed:,} of {controls.tested:,} well-trained tokens under "
        "the same prompts"
    )


def floor_sentence(floor: FloorSummary | None) -> str | None:
    """Return what share of ordinary tokens fails the same prompts, or None where it was not measured."""
    if floor is None or floor.share is None:
        return None
    between = interval_text(floor.interval, percent=True)
    details = [f"{floor.n:,} drawn"] if floor.n else []
    details += [f"95 % interval {between}"] if between else []
    said = f"False-alarm floor: {100 * floor.share:.2g} % of ordinary tokens fail the same prompts"
    return said + (f" ({', '.join(details)})" if details else "") + "."


def _recall(recall: RecallSummary) -> Iterator[Paragraph]:
    """Yield how many tokens outside the candidates verified: what a fixed cut would have missed."""
    share = recall.verified_outside.value
    if share is None:
        return
    drawn = (
        f"of {recall.sample:,} random tokens outside the candidates"
        if recall.sample
        else "outside the candidates"
    )
    between = spread(recall.verified_outside.interval, percent=True)
    missed = "; a fixed cut misses those" if share else ""
    yield Paragraph(f"Recall: {drawn}, {100 * share:.2g} % verify{between}{missed}.")
