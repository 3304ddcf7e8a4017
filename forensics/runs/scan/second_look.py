"""The second look of a scan: verified tokens in ordinary text, the user's or the package's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensics.progress import Progress
from forensics.runs.scan.ordinary_text import OrdinaryText
from forensics.runs.scan.prompting import Prompting
from forensics.schema.words import Role
from forensics.undertrained.search_plan import SearchResult

if TYPE_CHECKING:
    from forensics.undertrained.second_look import SecondLook

__all__ = ["look_in_text"]


def look_in_text(
    prompting: Prompting,
    text: OrdinaryText,
    result: SearchResult,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondLook | None:
    """Return what ordinary text says of the tokens that verify; None where none does, or it cannot be read.

    :param prompting: The model.
    :param text: Ordinary text by category.
    :param result: What the prompts showed; controls are no finding and are left out.
    :param rng: The run's generator; draws the occurrences.
    :param progress: Where to report.
    """
    from forensics.undertrained.emission import WINDOW
    from forensics.undertrained.second_look import look_again

    verified = [
        token
        for token, evidence in result.evidence.items()
        if evidence.verdict.is_verified and result.roles[token] is not Role.CONTROL
    ]
    if not verified or prompting.reader is None:
        return None
    positions = prompting.positions
    room = WINDOW if positions is None else min(WINDOW, positions - len(prompting.start))
    with progress.stage("ordinary text"):
        return look_again(
            prompting.reader, verified, text.categories, rng, start=prompting.start, window=room
        )
