"""What a reader must know to trust the counts of the verification: floor, controls, recall, stop."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report.blocks import Paragraph
from forensics.report.wording import full_stop, interval_text, plural, spaced, spread
from forensics.schema.scan import (
    ControlsSummary,
    EstimateDetails,
    FloorSummary,
    InTextSummary,
    KinSummary,
    RecallSummary,
    VerificationSummary,
)

__all__ = ["controls_sentence", "floor_sentence", "in_text_sentence", "remarks"]


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
    if found.in_text is not None and found.verified:
        yield Paragraph(f"{in_text_sentence(found.in_text)} {_text_tried(found.in_text)}")
    if found.kin is not None:
        yield Paragraph(_kin(found.kin))
    if found.estimate is not None and found.estimate.probed:
        yield Paragraph(_probed(found.estimate))
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


def in_text_sentence(found: InTextSummary) -> str:
    """Return how many verified tokens ordinary text does not clear, and why, in one sentence."""
    unknown, verified = found.fails + found.absent, found.cleared + found.fails + found.absent
    if not unknown:
        return "Ordinary text clears all of them: the model predicts them there, so the prompts failed."
    occurs = "occurs in the text tried and is" if found.fails == 1 else "occur in the text tried and are"
    lacks = "does not occur and is" if found.absent == 1 else "do not occur and are"
    where = f"{found.fails:,} {occurs} not expected there, {found.absent:,} {lacks} expected nowhere in it"
    if not found.cleared:
        return f"Ordinary text clears none of these {verified:,} ({where})."
    others = "the other one is" if found.cleared == 1 else f"the other {found.cleared:,} are"
    return (
        f"Ordinary text does not clear {unknown:,} of them ({where}); {others} predicted there, so the "
        "prompts failed and not the training."
    )


def _text_tried(found: InTextSummary) -> str:
    """Return what the second look rests on and what it does not tell."""
    return (
        f"Looked through were {found.text_tokens:,} tokens of text for up to four places of each token; "
        f"every token's probability was read at {found.positions:,} positions. A probability of 0.01 clears, "
        "as it does in a prompt. That a token does not occur in a text proves nothing by itself: most of a "
        "vocabulary does not."
    )


def _kin(found: KinSummary) -> str:
    """Return how many tokens others spoke for, and how often one of those others was not like the rest."""
    return (
        f"{found.spoken_for:,} tokens were not put to every prompt: the probes show nothing of them, and "
        f"their rows nearly coincide with those of others that were read to the end. Of {found.read:,} read "
        f"in {found.groups:,} such {plural('group', found.groups)}, {found.shown:,} were not verified "
        f"strongly{spread(found.interval, percent=True)}; one that is not sends its whole group through "
        "the prompts."
    )


def _probed(found: EstimateDetails) -> str:
    """Return how the number in all was found, and what it rests on."""
    left = ", ".join(
        f"{count:,} after {spaced(name)}" for name, count in zip(found.probes, found.open_after, strict=False)
    )
    drawn = "All" if found.method == "census" else f"A random sample of {found.probed:,}"
    verb = "were" if found.method == "census" else "was"
    said = (
        f"{drawn} of the tokens below the candidates {verb} probed; who "
        f"reaches 0.1 in a probe is rejected. Left open: {left}. These were verified, and "
        f"{found.verified_in_sample:,} of them fail every prompt."
    )
    if found.missed_above_threshold_upper is not None:
        said += (
            f" Of {found.checked_above_threshold:,} tokens that a probe shows and that went through the "
            "prompts all the same, so few failed these that in the whole vocabulary at most "
            f"{found.missed_above_threshold_upper:,.0f} would (95 %, one-sided)."
        )
    return said


def _recall(recall: RecallSummary) -> Iterator[Paragraph]:
    """Yield which share of all was found, and how many tokens outside the candidates verified."""
    if recall.value is not None:
        said = f"The search down the ranking found {100 * recall.value:.0f} % of all tokens that verify"
        said += spread(recall.interval, percent=True)
        if recall.value_cleared_excluded is not None:
            said += (
                f", and {100 * recall.value_cleared_excluded:.0f} % of those that text does not clear"
                f"{spread(recall.interval_cleared_excluded, percent=True)}"
            )
        yield Paragraph(f"{said}; the others were found by the probes.")
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
