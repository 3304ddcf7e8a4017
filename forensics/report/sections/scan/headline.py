"""The sentence an auditor can quote, and the few numbers that stand beside it."""

from __future__ import annotations

from forensics.report.blocks import Tile
from forensics.report.results import Results
from forensics.report.sections.scan.remarks import floor_sentence, in_text_sentence
from forensics.report.sections.scan.verification import why_not_verified
from forensics.report.sections.shared.counts import count_tiles
from forensics.report.wording import interval_text, spread
from forensics.schema.scan import EstimateDetails, ScanSummary, VerificationSummary
from forensics.schema.words import Interface

__all__ = ["headline", "tiles"]


def headline(results: Results[ScanSummary]) -> str:
    """Return what was found, with its uncertainty and its floor of false alarms, in plain sentences."""
    found, chosen = results.summary.verification, results.summary.indicator
    if found.tested:
        return _verified_headline(found)
    return (
        f"By weights alone, {chosen.n_candidates:,} tokens are candidates (the lowest {chosen.percent:g} % "
        f"by {chosen.name}). The threshold found in the data puts {chosen.data_driven.n_below:,} below it. "
        f"Nothing was verified by prompting: {why_not_verified(found)}."
    )


def _verified_headline(found: VerificationSummary) -> str:
    """Return the headline of a run that prompted the model."""
    if found.interface == Interface.SAID.value:
        return (
            f"{found.inconclusive:,} of {found.tested:,} tested tokens are not repeated by the model when "
            "it is asked to. The server gives no probabilities, so this proves nothing and none is verified."
        )
    one = found.verified == 1
    # What prompts alone show is called under-trained only where nothing else was asked.
    fate = f"{'is' if one else 'are'} under-trained" if found.in_text is None else _verifies(one)
    sentences = [
        f"{found.verified:,} of {found.tested:,} tested tokens {fate}: "
        f"prompted to repeat {'it' if one else 'them'}, the model stays below a probability of 0.01."
    ]
    if found.in_text is not None:
        sentences.append(in_text_sentence(found.in_text))
    if found.estimate is not None and found.estimate.total_cleared_excluded is not None:
        sentences.append(_in_all(found, found.estimate))
    elif found.estimate_total is not None:
        alarms = found.expected_false_alarms and found.expected_false_alarms.value
        of_these = f", about {alarms:,.0f} of them false alarms by the floor below" if alarms else ""
        # The ranking holds ordinary tokens only: bytes, special and unreachable ones are counted apart.
        total = f"{found.estimate_total:,.0f}{spread(found.interval)}{of_these}"
        sentences.append(f"Over all ordinary tokens of the vocabulary the estimate is {total}.")
    floor = floor_sentence(found.false_alarm_floor)
    return " ".join([*sentences, floor] if floor else sentences)


def _verifies(one: bool) -> str:
    return "verifies" if one else "verify"


def _in_all(found: VerificationSummary, details: EstimateDetails) -> str:
    """Return how many ordinary tokens verify in all, and how many without those that text clears."""
    total = f"{found.estimate_total or 0:,.0f}"
    unknown = f"{details.total_cleared_excluded or 0:,.0f}"
    if details.method == "census":
        return f"Of all ordinary tokens, every one of them probed, {total} verify, {unknown} of them unknown."
    return (
        f"Of all ordinary tokens an estimated {total}{spread(found.interval)} verify, "
        f"{unknown}{spread(details.interval_cleared_excluded)} of them unknown."
    )


def tiles(results: Results[ScanSummary]) -> tuple[Tile, ...]:
    """Return the numbers to be read at a glance."""
    found = results.summary.verification
    if not found.tested:
        candidates = f"{results.summary.indicator.n_candidates:,}"
        return (Tile("candidates", candidates, "not verified", "warn"), *count_tiles(results))
    if found.interface == Interface.SAID.value:
        unsaid = Tile(
            "not repeated", f"{found.inconclusive:,}", f"of {found.tested:,}, none provable", "warn"
        )
        return (unsaid, *count_tiles(results))
    tone = "bad" if found.verified else "good"
    if found.in_text is None or found.unknown_in_text is None:
        out = [Tile("verified under-trained", f"{found.verified:,}", f"of {found.tested:,} tested", tone)]
    else:
        cleared = f"{found.in_text.cleared:,} of them cleared by text"
        tone = "bad" if found.unknown_in_text else "good"
        out = [
            Tile("unknown, in text too", f"{found.unknown_in_text:,}", "what to act on", tone),
            Tile("fail the prompts", f"{found.verified:,}", f"{cleared}, {found.tested:,} tested"),
        ]
    if found.estimate_total is not None:
        between = interval_text(found.interval)
        note = f"95 %: {between}" if between else ""
        out.append(Tile("estimate, whole ranking", f"{found.estimate_total:,.0f}", note))
    floor = found.false_alarm_floor
    if floor is not None and floor.share is not None:
        drawn = f"{floor.n:,} ordinary tokens" if floor.n else ""
        out.append(Tile("false-alarm floor", f"{100 * floor.share:.2g} %", drawn))
    return (*out, *count_tiles(results))
