"""Whether the model can copy improbable pairs: shares, their difference, and why nothing follows where so."""

from __future__ import annotations

from forensics.report.blocks import Block, Cell, Code, Facts, Number, Paragraph, Section
from forensics.report.results import Results
from forensics.report.visible import plain, token_text
from forensics.report.wording import full_stop
from forensics.schema.bigrams import BigramsSummary
from forensics.schema.scan import ScanSummary

__all__ = ["bigrams", "bigrams_sentence"]

#: Below it a difference is called one.
_SIGNIFICANT = 0.05
#: Pairs that are shown.
_SHOWN = 12
_WHAT = (
    "An improbable pair is made of two tokens that share one character: the first ends in its first bytes, "
    "the second begins with the rest. The model is to copy such pairs, shown as their two tokens and "
    "character by character, and random pairs of complete tokens of other scripts in the same two ways. Rare "
    "pairs of any kind are hard to copy, so what counts is how much more the tokens cost the improbable "
    "pairs than the others. No token is in two pairs, all rows are well trained by the indicator, and the "
    "test is exact (which pairs are improbable is permuted)."
)


def bigrams_sentence(found: BigramsSummary) -> str:
    """Return what was found, in a sentence or two."""
    if found.refused is not None:
        return f"Not tested: {full_stop(found.refused)}"
    if found.difference is None or found.p is None:
        return "Not tested."
    is_clear = found.p < _SIGNIFICANT
    verdict = (
        "Characters that two tokens share cost this model something."
        if is_clear
        else "That is no more than rare pairs of tokens cost it in any case."
    )
    return (
        f"Of {found.pairs:,} improbable pairs {_percent(found.pairs_fail)} are not copied as tokens and "
        f"{_percent(found.pairs_fail_by_characters)} not character by character; of {found.controls:,} pairs "
        f"of complete tokens {_percent(found.controls_fail)} and "
        f"{_percent(found.controls_fail_by_characters)}. The difference of the differences is "
        f"{100 * found.difference:.0f} points (one-sided p {found.p:.2g}). {verdict}"
    )


def bigrams(results: Results[ScanSummary]) -> Section | None:
    """Return the section; None where it was not asked for."""
    found = results.summary.bigrams
    if found is None:
        return None
    blocks: list[Block] = [
        Paragraph(bigrams_sentence(found), "warn" if found.refused else "plain"),
        Paragraph(_WHAT),
        Facts(_facts(found)),
    ]
    return Section("bigrams", "Improbable pairs", tuple(blocks))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _facts(found: BigramsSummary) -> tuple[tuple[str, Cell], ...]:
    facts: list[tuple[str, Cell]] = [
        ("pairs of the vocabulary that encoding gives back", Number(found.in_vocabulary)),
        ("of these well trained and of several scripts", Number(found.suitable)),
        ("improbable pairs drawn", Number(found.pairs)),
        ("pairs of complete tokens drawn", Number(found.controls)),
    ]
    shares = (
        ("improbable pairs not copied", found.pairs_fail),
        ("the same texts character by character", found.pairs_fail_by_characters),
        ("pairs of complete tokens not copied", found.controls_fail),
        ("these character by character", found.controls_fail_by_characters),
        ("difference of the differences", found.difference),
    )
    facts += [(name, Number(share, 3, percent=True)) for name, share in shares if share is not None]
    if found.p is not None:
        facts.append(("exact one-sided p", Number(found.p, 3)))
    if found.failed:
        shown = ", ".join(plain(token_text(None, each)) for each in found.failed[:_SHOWN])
        facts.append(("fail as tokens and not by characters", Code(shown)))
    return tuple(facts)
