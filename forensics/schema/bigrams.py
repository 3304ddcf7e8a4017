"""`scan --bigrams`: what is said of improbable pairs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BigramsSummary"]


@dataclass(frozen=True)
class BigramsSummary:
    """Whether the model can copy pairs of tokens that share one character; context, no verdict on a token."""

    #: Such pairs that encoding gives back; and, among those that were found, pairs of two well-trained rows
    #: with letters of several scripts.
    in_vocabulary: int
    suitable: int
    #: Improbable pairs and pairs of complete tokens that were drawn.
    pairs: int = 0
    controls: int = 0
    #: Share that the model fails to copy, shown as two tokens and character by character; None where it was
    #: not tried.
    pairs_fail: float | None = None
    pairs_fail_by_characters: float | None = None
    controls_fail: float | None = None
    controls_fail_by_characters: float | None = None
    #: How much more the tokens cost the improbable pairs than the controls, in shares; and the exact
    #: one-sided probability of as much by chance.
    difference: float | None = None
    p: float | None = None
    #: Why nothing follows, or None.
    refused: str | None = None
    #: Improbable pairs that failed as tokens and not by characters.
    failed: tuple[str, ...] = ()
