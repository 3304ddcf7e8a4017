"""A finished scan as `export` and `repair` read it: which tokens it found, and whether it can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import BadInputError
from forensics.repairing.ban_list import ScannedTokens
from forensics.report.results import Results
from forensics.schema.words import Category, Role, Verdict

__all__ = ["refuse_unanswerable", "scanned_tokens"]


def refuse_unanswerable(
    results: Results[Any], folder: Path, what: str, *, without_text: str = "scan again"
) -> None:
    """Refuse a folder from which it cannot be told which tokens are untrained.

    :param results: What it holds.
    :param folder: Where it lies.
    :param what: `unknown`, `verified` or `strong`.
    :param without_text: What to do where verified tokens were not looked at in ordinary text.
    :raises BadInputError: Says why.
    """
    if results.summary.kind != "scan":
        other = f"holds a run of `{results.summary.kind}`"
        raise BadInputError(folder, other, "give the folder of a `scan`")
    found = results.summary.verification
    if found.skipped:
        raise BadInputError(folder, f"nothing was verified ({found.skipped})", "scan with `verify`")
    if found.prompts_unsuitable:
        raise BadInputError(
            folder,
            "the prompts do not suit the model, so that no verdict counts",
            "do nothing on this ground",
        )
    if what != "verified" and found.verified and found.in_text is None:
        raise BadInputError(folder, "verified tokens were not looked at in ordinary text", without_text)


def scanned_tokens(results: Results[Any]) -> ScannedTokens:
    """Return the columns that decide."""
    is_control = results.where("role", Role.CONTROL)
    return ScannedTokens(
        strong=np.asarray(results.where("verdict", Verdict.VERIFIED_STRONG) & ~is_control),
        verified=np.asarray(results.verified & ~is_control),
        cleared=np.asarray(results.where("cleared_by_text", True)),
        reserved=np.asarray(results.known("reserved")),
        past_vocabulary=np.asarray(results.where("category", Category.UNUSED_ROW)),
        structural=np.asarray(results.where("is_special", True) | results.where("is_added", True)),
    )
