"""The table an auditor came for: ordinary tokens the model cannot repeat, else those that it might not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.report.blocks import Section
from forensics.report.declared import byte_string, field, text, token_table, verdict_columns
from forensics.report.results import Record, Results
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Role

if TYPE_CHECKING:
    from forensics.report.declared import Column

__all__ = ["candidates", "verified_tokens"]


def verified_tokens(results: Results[ScanSummary]) -> Section | None:
    """Return the verified tokens that are ordinary entries of the vocabulary; others have own tables."""
    if not results.summary.verification.tested:
        return None
    # What the user asked for by id is shown here whatever it is.
    chosen = results.verified & (results.ordinary | results.where("role", Role.REQUESTED))
    caption = (
        "Ordinary tokens that the model fails to repeat, most suspicious first. Bytes, partial UTF-8, "
        "unreachable, special and reserved tokens have their own tables below. Open a row for its prompts "
        "and probabilities."
    )
    order = ("rank", "max_prob", "token_id")
    shown = token_table(results, chosen, "verified-tokens", caption, *_columns(results), order=order)
    return Section("verified", "Verified tokens", (shown,))


def candidates(results: Results[ScanSummary]) -> Section | None:
    """Return the candidates of a run on the weights alone; where the model was run, verdicts replace them."""
    chosen = results.where("is_candidate", True)
    if results.summary.verification.tested or not chosen.any():
        return None
    caption = (
        "The most suspicious ordinary tokens by weights alone, not verified: a low indicator is a reason to "
        "look, not a verdict."
    )
    shown = token_table(results, chosen, "candidates", caption, *_columns(results))
    return Section("candidates", "Candidates", (shown,))


def _columns(results: Results[ScanSummary]) -> list[Column[Record]]:
    return [*verdict_columns(results), field("bytes", byte_string), field("script", text)]
