"""What a method of `sticky` is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.sticky.inputs import StickyTexts
from forensics.schema.sticky import StickyOptions, StickySummary
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Measured", "Task"]


@dataclass(frozen=True, eq=False)
class Task:
    """A model and what is asked of it."""

    encoder: TextEncoder
    #: The same in a cheaper dtype, for the screen of `contraction`; None takes `encoder`.
    screen: TextEncoder | None
    vocabulary: Vocabulary
    texts: StickyTexts
    #: Mean similarity of the vocabulary's entries.
    u: float
    options: StickyOptions
    #: Seed of `contraction`; `std` has the published one.
    seed: int
    journal: Journal
    progress: Progress


@dataclass(frozen=True, eq=False)
class Measured:
    """The columns of a method, one row per token, and the summary with its part filled in."""

    columns: pd.DataFrame
    summary: StickySummary
