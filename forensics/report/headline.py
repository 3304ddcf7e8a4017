"""The sentence an auditor can quote, and the few numbers that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.blocks import Tile
from forensics.report.results import Results

__all__ = ["floor_sentence", "headline", "interval_text", "tiles"]


def headline(results: Results) -> str:
    """Return what was found, with its uncertainty and its floor of false alarms, in plain sentences."""
    if results.get("kind") == "tokens":
        return _vocabulary_headline(results)
    if results.get("verification.tested"):
        return _verified_headline(results)
    return _weights_headline(results)


def _verified_headline(results: Results) -> str:
    """Return the headline of a run that prompted the model."""
    tested, verified = results.get("verification.tested", 0), results.get("verification.verified", 0)
    sentences = [
        f"{verified:,} of {tested:,} tested tokens {_are(verified)} under-trained: prompted to repeat "
        f"{'it' if verified == 1 else 'them'}, the model stays below a probability of 0.01."
    ]
    estimate = results.get("verification.estimate_total")
    if estimate is not None:
        between = interval_text(results.get("verification.interval"))
        spread = f" (95 % interval {between})" if between else ""
        alarms = results.get("verification.expected_false_alarms.value")
        of_these = f", about {alarms:,.0f} of them false alarms by the floor below" if alarms else ""
        # The ranking holds ordinary tokens only: bytes, special and unreachable ones are counted apart.
        sentences.append(
            f"Over all ordinary tokens of the vocabulary the estimate is {estimate:,.0f}{spread}{of_these}."
        )
    floor = floor_sentence(results)
    return " ".join([*sentences, floor] if floor else sentences)


def floor_sentence(results: Results) -> str | None:
    """Return what share of ordinary tokens fails the same prompts, or None where it was not measured."""
    share = results.get("verification.false_alarm_floor.share")
    if share is None:
        return None
    number = results.get("verification.false_alarm_floor.n")
    between = interval_text(results.get("verification.false_alarm_floor.interval"), percent=True)
    details = [
        part
        for part in (f"{number:,} drawn" if number else "", f"95 % interval {between}" if between else "")
        if part
    ]
    return (
        f"False-alarm floor: {100 * share:.2g} % of ordinary tokens fail the same prompts"
        + (f" ({', '.join(details)})" if details else "")
        + "."
    )


def _weights_headline(results: Results) -> str:
    """Return the headline of a run on the weights alone."""
    why = results.get("verification.skipped") or "verification was switched off"
    name = results.get("indicator.name")
    if name is None:
        return f"No indicator could be computed, and nothing was verified by prompting ({_unstop(why)})."
    candidates = results.get("indicator.n_candidates")
    percent = results.get("indicator.percent")
    cut = f"the lowest {percent:g} % by {name}" if percent is not None else f"the lowest by {name}"
    sentences = [f"By weights alone, {candidates or 0:,} tokens are candidates ({cut})."]
    below = results.get("indicator.data_driven.n_below")
    if below is not None:
        sentences.append(f"The threshold found in the data puts {below:,} below it.")
    sentences.append(f"Nothing was verified by prompting: {_unstop(why)}.")
    return " ".join(sentences)


def _vocabulary_headline(results: Results) -> str:
    """Return the headline of a vocabulary without weights."""
    size = results.get("tokenizer.vocab_size") or len(results.tokens)
    unreachable = results.get("counts.unreachable", 0)
    partial = results.get("counts.partial_utf8", 0)
    return (
        f"Of {size:,} tokens, {unreachable:,} can never be produced from text (re-encoding them gives "
        "something "
        f"else, alone and after any left context tried), and {partial:,} are parts of characters that are no "
        "text by themselves."
    )


def tiles(results: Results) -> tuple[Tile, ...]:
    """Return the numbers to be read at a glance, those that the run has."""
    out: list[Tile] = []
    tested = results.get("verification.tested")
    if tested:
        verified = results.get("verification.verified", 0)
        tone = "bad" if verified else "good"
        out.append(Tile("verified under-trained", f"{verified:,}", f"of {tested:,} tested", tone))
        estimate = results.get("verification.estimate_total")
        if estimate is not None:
            between = interval_text(results.get("verification.interval"))
            out.append(
                Tile("estimate, whole ranking", f"{estimate:,.0f}", f"95 %: {between}" if between else "")
            )
        share = results.get("verification.false_alarm_floor.share")
        if share is not None:
            number = results.get("verification.false_alarm_floor.n")
            out.append(
                Tile(
                    "false-alarm floor",
                    f"{100 * share:.2g} %",
                    f"{number:,} ordinary tokens" if number else "",
                )
            )
    elif results.get("indicator.n_candidates") is not None:
        out.append(Tile("candidates", f"{results.get('indicator.n_candidates'):,}", "not verified", "warn"))
    for key, label in (("unreachable", "unreachable"), ("partial_utf8", "partial UTF-8")):
        count = results.get(f"counts.{key}")
        if count is not None:
            out.append(Tile(label, f"{count:,}", f"of {len(results.tokens):,} rows"))
    return tuple(out)


def interval_text(interval: Sequence[float] | None, *, percent: bool = False) -> str:
    """Return ``120 to 180`` (or in percent), or nothing where an end is not known."""
    if interval is None or len(interval) != 2 or any(end is None for end in interval):
        return ""
    low, high = interval
    return f"{100 * low:.2g} to {100 * high:.2g} %" if percent else f"{low:,.0f} to {high:,.0f}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _unstop(sentence: str) -> str:
    """Return the sentence without its full stop, to stand inside another."""
    return sentence.rstrip(". ")
