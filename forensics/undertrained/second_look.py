"""The second look: what ordinary text says of tokens that failed every prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from forensics.schema.words import WEAK_BELOW
from forensics.undertrained.emission import WINDOW, Ids, emission_maximum, spread_windows
from forensics.undertrained.natural_context import NaturalContexts, find_contexts, read_contexts

__all__ = ["InText", "ReadsText", "SecondLook", "TextEvidence", "WholeText", "look_again"]


class InText(StrEnum):
    """What ordinary text says of a verified token."""

    #: The model predicts it in ordinary text: the prompts failed, not the token.
    CLEARED = "cleared by text"
    #: It occurs, and the model does not expect it there either.
    FAILS = "fails in ordinary text"
    #: It does not occur in the text tried, which proves nothing.
    ABSENT = "does not occur in the text tried"


@dataclass(frozen=True)
class TextEvidence:
    """What ordinary text says of one token."""

    #: The token.
    token_id: int
    #: How often it occurs with enough text on its left.
    occurrences: int
    #: Its probability in each place that was read.
    probabilities: tuple[float, ...]
    #: Its largest probability at any position of the text, whatever stood there.
    emission_max: float

    @property
    def in_text(self) -> InText:
        """What follows; .01 anywhere clears, as it does in a prompt."""
        if max((*self.probabilities, self.emission_max), default=0.0) >= WEAK_BELOW:
            return InText.CLEARED
        return InText.FAILS if self.probabilities else InText.ABSENT

    @property
    def cleared_by_text(self) -> bool | None:
        """The column of that name: None where the text does not contain the token and does not clear it."""
        return {InText.CLEARED: True, InText.FAILS: False, InText.ABSENT: None}[self.in_text]


@dataclass(frozen=True, eq=False)
class SecondLook:
    """What ordinary text says of all verified tokens."""

    #: Token id -> what the text says of it.
    evidence: dict[int, TextEvidence]
    #: Largest probability of every token of the vocabulary over the positions read, shape (V,).
    emission_max: npt.NDArray[np.float32]
    #: Tokens of text that were looked through for occurrences, and positions read for the emission.
    text_tokens: int
    positions: int

    @property
    def cleared(self) -> frozenset[int]:
        """Tokens that ordinary text clears."""
        return frozenset(t for t, e in self.evidence.items() if e.in_text is InText.CLEARED)

    @property
    def unknown_in_text(self) -> frozenset[int]:
        """Verified tokens that ordinary text does not clear: what a user acts on."""
        return frozenset(self.evidence) - self.cleared

    def counts(self) -> dict[InText, int]:
        """Return how many tokens each answer was given for."""
        return {kind: sum(e.in_text is kind for e in self.evidence.values()) for kind in InText}


class ReadsText(Protocol):
    """A model that reads ordinary text."""

    def contexts(self, contexts: NaturalContexts, start: Sequence[int]) -> dict[int, list[float]]:
        """Return the probability of every token where it stands, see `read_contexts`."""

    def emission(self, windows: Sequence[Sequence[int]], start: Sequence[int]) -> npt.NDArray[np.float32]:
        """Return the largest probability of every token, (V,), see `emission_maximum`; NaN: not known."""


@dataclass(frozen=True)
class WholeText:
    """A model in this process, which shows all probabilities at every place."""

    #: A causal language model with transformers' forward interface, in evaluation mode.
    model: Any

    def contexts(self, contexts: NaturalContexts, start: Sequence[int]) -> dict[int, list[float]]:
        """See `ReadsText`."""
        return read_contexts(self.model, contexts, start)

    def emission(self, windows: Sequence[Sequence[int]], start: Sequence[int]) -> npt.NDArray[np.float32]:
        """See `ReadsText`."""
        return emission_maximum(self.model, windows, start)


def look_again(
    reader: ReadsText,
    verified: Sequence[int],
    texts: Iterable[Iterable[Ids]],
    rng: np.random.Generator,
    *,
    start: Sequence[int] = (),
    window: int = WINDOW,
) -> SecondLook:
    """Return what ordinary text says of `verified`.

    :param reader: The model that the prompts were put to.
    :param verified: Tokens that failed every prompt.
    :param texts: Encoded text by category: ids of each document of it. Each category is gone through once.
    :param rng: The run's generator; draws the occurrences.
    :param start: Ids that the model expects before every text (BOS).
    :param window: Ids read at a time for the emission: what the model has positions for.
    """
    streams: list[list[int]] = []

    def documents() -> Iterable[Ids]:
        for category in texts:
            stream: list[int] = []
            for document in category:
                # As much as the emission's windows are spread over, and no more, is kept.
                stream.extend(map(int, document[: max(0, _KEPT - len(stream))]))
                yield document
            streams.append(stream)

    contexts = find_contexts(documents(), verified, rng)
    read = reader.contexts(contexts, start)
    windows = spread_windows(streams, window=window)
    emission = reader.emission(windows, start)
    evidence = {
        token: TextEvidence(
            token,
            contexts.occurrences.get(token, 0),
            tuple(read.get(token, ())),
            float(np.nan_to_num(emission[token])) if token < len(emission) else 0.0,
        )
        for token in map(int, verified)
    }
    positions = 0 if np.isnan(emission).all() else sum(map(len, windows))
    return SecondLook(evidence, emission, contexts.text_tokens, positions)


#: Ids of each category that the emission's windows are taken from.
_KEPT = 100_000
