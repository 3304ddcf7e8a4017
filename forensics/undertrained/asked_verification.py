"""Verification of a model that can only be asked for the next token: a server, or an engine of its own.

The probes, prompts, steps and verdicts are those of `plain_verification`; a token leaves as soon as something
has shown it, as in `verification`. What is missing are the savings that need the model at hand: every prompt
is put whole, and whoever answers is trusted to know again what stood before it. A token costs one question
where the first probe shows it, and one question for every probe, prompt and step where nothing does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.words import INCONCLUSIVE_BELOW
from forensics.sources.interface import NextTokenModel, NextTokens
from forensics.undertrained.natural_context import NaturalContexts
from forensics.undertrained.plain_verification import STEPS
from forensics.undertrained.probe_cascade import ProbeCascade
from forensics.undertrained.probes_first import Found, ProbesFirst, is_rejected
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence

__all__ = ["AskedText", "AskedVerifier"]


@dataclass(frozen=True)
class _AskedProbe:
    """A probe that is one question for every token."""

    model: NextTokenModel
    prompt: Prompt
    is_packed: bool = False

    def read(self, tokens: Sequence[int]) -> NextTokens:
        return self.model.next_tokens([self.prompt.fill(t) for t in tokens], tokens)


class AskedVerifier(ProbesFirst):
    """Puts tokens to a model one question at a time; see `verification.Verifier` for the faster kind."""

    def __init__(
        self,
        model: NextTokenModel,
        rows: int,
        prompts: Sequence[Prompt],
        decode: Callable[[Sequence[int]], str],
        *,
        probes: Sequence[Prompt] = (),
        steps: int = STEPS,
    ) -> None:
        """Keep whom to ask.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for: ids below it.
        :param prompts: See `ProbesFirst`.
        :param decode: See `ProbesFirst`.
        :param probes: The short prompts that come first.
        :param steps: How many tokens are generated per prompt.
        :raises BadInputError: If there is no prompt.
        """
        super().__init__(prompts, ProbeCascade([_AskedProbe(model, probe) for probe in probes]), decode)
        self._model = model
        self._row_count = rows
        self._steps = steps

    def _rows(self) -> int:
        return self._row_count

    def _put_prompts(self, found: Found) -> None:
        for prompt in self.prompts:
            in_doubt = [t for t, shown in found.items() if not is_rejected(shown)]
            for token_id, evidence in self._put(prompt, in_doubt):
                found[token_id][prompt.name] = evidence

    def _put(self, prompt: Prompt, tokens: Sequence[int]) -> Iterator[tuple[int, PromptEvidence]]:
        """Put one prompt to all `tokens`, step by step, and yield what it shows of each."""
        ids = {token_id: prompt.fill(token_id) for token_id in tokens}
        shown: dict[int, list[float]] = {token_id: [] for token_id in tokens}
        said: dict[int, list[int]] = {token_id: [] for token_id in tokens}
        going = list(tokens)
        for _ in range(self._steps):
            answer = self._model.next_tokens([ids[t] + said[t] for t in going], going)
            for token_id, log_p, next_id in zip(
                going, answer.log_p.tolist(), answer.said.tolist(), strict=True
            ):
                shown[token_id].append(math.exp(log_p))
                said[token_id].append(next_id)
            going = [t for t in going if not shown[t][-1] >= INCONCLUSIVE_BELOW and said[t][-1] >= 0]
        for token_id in tokens:
            complete = len(shown[token_id]) == self._steps
            text = self._decode(said[token_id])
            yield (
                token_id,
                PromptEvidence(prompt.name, tuple(shown[token_id]), tuple(said[token_id]), text, complete),
            )


class AskedText:
    """Reads ordinary text through questions; what every token's probability is at a place cannot be asked."""

    def __init__(self, model: NextTokenModel, rows: int) -> None:
        """Keep whom to ask.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for.
        """
        self._model = model
        self._rows = rows

    def contexts(self, contexts: NaturalContexts, start: Sequence[int]) -> dict[int, list[float]]:
        """Return the probability of every token where it stands, see `natural_context.read_contexts`."""
        pairs = [(token, context) for token, drawn in contexts.contexts.items() for context in drawn]
        prompts = [[*start, *context.tolist()] for _, context in pairs]
        answer = self._model.next_tokens(prompts, [token for token, _ in pairs])
        found: dict[int, list[float]] = {token: [] for token in contexts.contexts}
        for (token, _), log_p in zip(pairs, answer.log_p.tolist(), strict=True):
            found[token].append(math.exp(log_p))
        return found

    def emission(self, windows: Sequence[Sequence[int]], start: Sequence[int]) -> npt.NDArray[np.float32]:
        """Return NaN for every token, shape (V,): a whole row of probabilities is not to be had."""
        return np.full(self._rows, np.nan, dtype=np.float32)
