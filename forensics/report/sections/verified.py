"""The table an auditor came for: ordinary tokens the model cannot repeat, else those that it might not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.report.blocks import Section
from forensics.report.results import Results
from forensics.report.sections.common import byte_string, text, token_table, verdict_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["candidates", "ordinary", "verified_tokens"]


def verified_tokens(results: Results) -> Section | None:
    """Return the verified tokens that are ordinary entries of the vocabulary; others have own tables."""
    if not results.get("verification.tested"):
        return None
    # What the user asked for by id is shown here whatever it is.
    chosen = results.verified & (ordinary(results) | results.where("role", "requested"))
    table = token_table(
        results,
        chosen,
        "verified-tokens",
        "Ordinary tokens that the model fails to repeat, most suspicious first. Bytes, partial UTF-8, "
        "unreachable, special and reserved tokens have their own tables below. Open a row for its prompts "
        "and probabilities.",
        [
            *verdict_columns(results),
            ("bytes", byte_string),
            ("script", lambda row: text(row.get("script"))),
        ],
        ("rank", "max_prob", "token_id"),
    )
    return Section("verified", "Verified tokens", (table,))


def candidates(results: Results) -> Section | None:
    """Return the candidates of a run on the weights alone; where the model was run, verdicts replace them."""
    chosen = results.where("is_candidate", True)
    if results.get("verification.tested") or not chosen.any():
        return None
    table = token_table(
        results,
        chosen,
        "candidates",
        "The most suspicious ordinary tokens by weights alone, not verified: a low indicator is a reason to "
        "look, not a verdict.",
        [
            *verdict_columns(results),
            ("bytes", byte_string),
            ("script", lambda row: text(row.get("script"))),
        ],
        ("rank", "token_id"),
    )
    return Section("candidates", "Candidates", (table,))


def ordinary(results: Results) -> pd.Series[bool]:
    """Return which rows are ordinary: reachable text that no file declares special or reserved."""
    chosen = (
        results.where("category", "ok") & ~results.where("is_byte", True) & ~results.where("is_special", True)
    )
    return chosen & results.tokens["reserved"].isna() if results.has("reserved") else chosen
