"""How many pairs of tokens share one character: a fact about a byte-level vocabulary, no verdict."""

from __future__ import annotations

from forensics.report.blocks import Cell, Code, Facts, Number, Paragraph, Section
from forensics.report.results import Results
from forensics.report.visible import plain, token_text
from forensics.schema.tokens import TokensSummary

__all__ = ["improbable_pairs"]

_WHAT = (
    "A prefix token ends in an unfinished UTF-8 character and a suffix token begins with the rest of one; "
    "together they are text whose middle character no single token spells. A pair counts if encoding its "
    "text gives the two tokens back, so that text can produce it. Whether a model can say such a pair is not "
    "told by this number: rare pairs of complete tokens fail nearly as often."
)


def improbable_pairs(results: Results[TokensSummary]) -> Section | None:
    """Return the count; None for a vocabulary without unfinished characters."""
    found = results.summary.improbable_pairs
    if found is None or not found.compatible:
        return None
    how = "exact" if found.exact else f"estimated from {found.tried:,} pairs"
    facts: list[tuple[str, Cell]] = [
        ("prefix tokens", Number(found.prefixes)),
        ("suffix tokens", Number(found.suffixes)),
        ("pairs whose bytes fit together", Number(found.compatible)),
        (f"pairs that encoding gives back ({how})", Number(found.estimate)),
    ]
    if found.mixed_scripts is not None:
        facts.append(
            ("of these with letters of several scripts", Number(found.mixed_scripts, 3, percent=True))
        )
    if found.examples:
        shown = ", ".join(plain(token_text(None, each)) for each in found.examples)
        facts.append(("examples", Code(shown)))
    return Section("improbable-pairs", "Improbable pairs", (Paragraph(_WHAT), Facts(tuple(facts))))
