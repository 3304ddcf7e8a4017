"""The table an auditor came for: ordinary tokens the model cannot repeat, else those that it might not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.report.blocks import Section
from forensics.report.declared import byte_string, field, number, text, token_table, verdict_columns
from forensics.report.results import Record, Results
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Role

if TYPE_CHECKING:
    from forensics.report.declared import Column

__all__ = ["candidates", "verified_tokens"]


_UNKNOWN = (
    "Ordinary tokens that the model fails to repeat and does not expect in ordinary text either, most "
    "suspicious first: what to act on. Bytes, partial UTF-8, unreachable, special and reserved tokens have "
    "their own tables below. Open a row for its prompts and probabilities."
)
_CLEARED = (
    "Ordinary tokens that fail the prompts and that the model predicts in ordinary text: false alarms of the "
    "prompts, such as clusters of punctuation that end what is to be copied."
)


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
    if not results.has("cleared_by_text"):
        shown = token_table(results, chosen, "verified-tokens", caption, *_columns(results), order=order)
        return Section("verified", "Verified tokens", (shown,))
    cleared = results.where("cleared_by_text", True)
    columns = [*_columns(results), *_text_columns()]
    tables = (
        token_table(results, chosen & ~cleared, "verified-tokens", _UNKNOWN, *columns, order=order),
        token_table(results, chosen & cleared, "cleared-tokens", _CLEARED, *columns, order=order),
    )
    return Section("verified", "Verified tokens", tables)


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


def _text_columns() -> list[Column[Record]]:
    """Return what ordinary text says of a token."""
    return [("in ordinary text", _in_text), field("emission_max", lambda value: number(value, digits=2))]


def _in_text(row: Record) -> str:
    """Return what `cleared_by_text` says, in words; pandas' NA compares with nothing."""
    cleared = row.get("cleared_by_text")
    words = {True: "cleared: predicted there", False: "fails there too"}
    return words[bool(cleared)] if isinstance(cleared, bool) else "does not occur"


def _columns(results: Results[ScanSummary]) -> list[Column[Record]]:
    return [*verdict_columns(results), field("bytes", byte_string), field("script", text)]
