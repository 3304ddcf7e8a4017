"""What a reader must know to trust the counts of the verification: floor, controls, recall, stop."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report.blocks import Paragraph
from forensics.report.headline import floor_sentence, interval_text
from forensics.report.results import Results
from forensics.report.sections.common import full_stop

__all__ = ["remarks"]

#: Where a summary does not say whether the prompts suit the model: less than this share of controls.
_CONTROLS_BOUND = 0.5


def remarks(results: Results) -> Iterator[Paragraph]:
    """Yield the sentences in the order a sceptic asks for them."""
    yield from _controls(results)
    floor = floor_sentence(results)
    if floor is not None:
        yield Paragraph(f"{floor} A verified token is therefore a finding, not yet a proof.")
    yield from _recall(results)
    stopped = results.get("verification.stopped")
    if stopped:
        yield Paragraph(full_stop(f"Where the search down the ranking stopped: {stopped}"))
    left_out = results.get("verification.left_out") or {}
    if left_out:
        parts = ", ".join(f"{count:,} {role.replace('_', ' ')}" for role, count in left_out.items())
        yield Paragraph(f"Not tested, because their group is large: {parts}.")


def _controls(results: Results) -> Iterator[Paragraph]:
    """Yield whether the model repeats tokens that it knows for certain."""
    tested, passed = results.get("verification.controls.tested"), results.get("verification.controls.passed")
    if not tested:
        return
    unsuitable = results.get("verification.prompts_unsuitable")
    if unsuitable is None:
        unsuitable = passed / tested < _CONTROLS_BOUND
    said = f"Controls: the model repeats {passed:,} of {tested:,} well-trained tokens under the same prompts"
    if unsuitable:
        yield Paragraph(f"{said}, so it does not follow these prompts and the verdicts blame nobody.", "warn")
    else:
        yield Paragraph(f"{said}.")


def _recall(results: Results) -> Iterator[Paragraph]:
    """Yield how many tokens outside the candidates verified: what a fixed cut would have missed."""
    recall = results.get("verification.recall") or {}
    share = results.get("verification.recall.verified_outside.value")
    if share is not None:
        between = interval_text(results.get("verification.recall.verified_outside.interval"), percent=True)
        sample = recall.get("sample")
        drawn = f"of {sample:,} random tokens outside the candidates" if sample else "outside the candidates"
        missed = "; a fixed cut misses those" if share else ""
        spread = f" (95 % interval {between})" if between else ""
        yield Paragraph(f"Recall: {drawn}, {100 * share:.2g} % verify{spread}{missed}.")
    elif "tested" in recall:
        verified = recall.get("verified", 0)
        yield Paragraph(
            f"Recall: of {recall['tested']:,} random tokens outside the candidates, {verified:,} verify; "
            "a fixed cut misses those."
        )
