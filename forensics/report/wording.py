"""Small pieces of sentences: intervals, ranges of ids, full stops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["full_stop", "id_ranges", "interval_text", "plural", "spaced", "spread"]


def interval_text(interval: Sequence[float | None] | None, *, percent: bool = False) -> str:
    """Return ``120 to 180`` (or in percent), or nothing where an end is not known."""
    low, high = interval or (None, None)
    if low is None or high is None:
        return ""
    return f"{100 * low:.2g} to {100 * high:.2g} %" if percent else f"{low:,.0f} to {high:,.0f}"


def spread(interval: Sequence[float | None] | None, *, percent: bool = False) -> str:
    """Return an interval in brackets, to stand behind its number; nothing where it is not known."""
    between = interval_text(interval, percent=percent)
    return f" (95 % interval {between})" if between else ""


def full_stop(sentence: str) -> str:
    """Return the sentence with exactly one full stop at its end."""
    return sentence.rstrip(". ") + "."


def plural(word: str, count: int) -> str:
    """Return a word as it stands behind a number."""
    return word if count == 1 else f"{word}s"


def spaced(word: str) -> str:
    """Return a word of the data files as a reader writes it."""
    return word.replace("_", " ")


def id_ranges(ids: Iterable[int], most: int = 24) -> str:
    """Return ids as ranges, the first `most` of them.

    >>> id_ranges([5, 3, 4, 9])
    '3–5, 9'
    """
    ordered = sorted(set(ids))
    runs: list[tuple[int, int]] = []
    for each in ordered:
        if runs and each == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], each)
        else:
            runs.append((each, each))
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs[:most]]
    return ", ".join(shown) + (f", … ({len(ordered):,} ids in all)" if len(runs) > most else "")
