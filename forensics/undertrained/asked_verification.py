"""Verification of a model that can only be asked for the next token: a server, or an engine of its own.

The probes, prompts, steps and verdicts are those of `plain_verification`; a token leaves as soon as something
has shown it, as in `verification`. What is missing are the savings that need the model at hand: every prompt
is put whole, and whoever answers is trusted to know again what stood before it. A token costs one question
where the first probe shows it, and one question for every probe, prompt and step where nothing does.

Where only text can be put (`carries`), a token goes without the probes and prompts that text cannot carry
with it in them; without any prompt it is not encodable. Where only the most probable tokens are told, the
others are known by a bound, which shows nobody, see `TokenEvidence.from_prompts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.schema.words import INCONCLUSIVE_BELOW, WEAK_BELOW
from forensics.sources.interface import NextTokenModel, NextTokens
from forensics.undertrained.natural_context import NaturalContexts
from forensics.undertrained.plain_verification import STEPS
from forensics.undertrained.probe_cascade import ProbeCascade
from forensics.undertrained.probes_first import Found, ProbesFirst, is_rejected
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence

__all__ = ["AskedText", "AskedVerifier", "Carries"]


#: Whether a token can be asked for behind a prompt of ids.
Carries = Callable[[Sequence[int], int], bool]

#: What a bound above it is taken for: a token that nobody told of is not shown, however little is known.
_NOT_SHOWN = np.nextafter(np.float32(math.log(INCONCLUSIVE_BELOW)), np.float32(-np.inf))


def _carries_all(prompt: Sequence[int], token: int) -> bool:
    """Return True: ids are put as they are."""
    return True


@dataclass(frozen=True)
class _AskedProbe:
    """A probe that is one question for every token."""

    model: NextTokenModel
    prompt: Prompt
    carries: Carries
    is_packed: bool = False

    def read(self, tokens: Sequence[int]) -> NextTokens:
        filled = [self.prompt.fill(t) for t in tokens]
        put = [i for i, token in enumerate(tokens) if self.carries(filled[i], token)]
        answer = self.model.next_tokens([filled[i] for i in put], [tokens[i] for i in put])
        log_p = np.full(len(tokens), np.nan, dtype=np.float32)
        said = np.full(len(tokens), -1, dtype=np.int64)
        is_bound = np.zeros(len(tokens), dtype=np.bool_)
        log_p[put], said[put] = answer.log_p, answer.said
        if answer.is_bound is not None:
            is_bound[put] = answer.is_bound
        return NextTokens(np.where(is_bound, np.minimum(log_p, _NOT_SHOWN), log_p), said, is_bound)


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
        carries: Carries | None = None,
    ) -> None:
        """Keep whom to ask.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for: ids below it.
        :param prompts: See `ProbesFirst`.
        :param decode: See `ProbesFirst`.
        :param probes: The short prompts that come first.
        :param steps: How many tokens are generated per prompt.
        :param carries: Whether a token can be asked for behind a prompt; None: always.
        :raises BadInputError: If there is no prompt.
        """
        super().__init__(
            prompts,
            ProbeCascade([_AskedProbe(model, probe, carries or _carries_all) for probe in probes]),
            decode,
        )
        self._carries = carries or _carries_all
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
        ids = {t: filled for t in tokens if self._carries(filled := prompt.fill(t), t)}
        shown: dict[int, list[float]] = {token_id: [] for token_id in ids}
        said: dict[int, list[int]] = {token_id: [] for token_id in ids}
        bounds: dict[int, list[int]] = {token_id: [] for token_id in ids}
        going = list(ids)
        for step in range(self._steps):
            answer = self._model.next_tokens([ids[t] + said[t] for t in going], going)
            is_bound = np.zeros(len(going), np.bool_) if answer.is_bound is None else answer.is_bound
            for row, token_id in enumerate(going):
                shown[token_id].append(math.exp(float(answer.log_p[row])))
                said[token_id].append(int(answer.said[row]))
                if is_bound[row]:
                    bounds[token_id].append(step)
            going = [t for t in going if self._goes_on(ids[t] + said[t], shown[t][-1], step in bounds[t])]
        for token_id in ids:
            complete = len(shown[token_id]) == self._steps
            text = self._decode(said[token_id])
            yield (
                token_id,
                PromptEvidence(
                    prompt.name,
                    tuple(shown[token_id]),
                    tuple(said[token_id]),
                    text,
                    complete,
                    tuple(bounds[token_id]),
                ),
            )

    def _goes_on(self, ids: list[int], p: float, is_bound: bool) -> bool:
        """Whether there is a next step: nothing has shown the token, and what was said can be put again."""
        is_shown = p >= INCONCLUSIVE_BELOW and not is_bound
        return not is_shown and ids[-1] >= 0 and self._carries(ids, ids[-1])


class AskedText:
    """Reads ordinary text through questions; what every token's probability is at a place cannot be asked."""

    def __init__(self, model: NextTokenModel, rows: int, carries: Carries | None = None) -> None:
        """Keep whom to ask.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for.
        :param carries: Whether a token can be asked for behind a prompt; other places are not read. None:
            always.
        """
        self._model = model
        self._rows = rows
        self._carries = carries or _carries_all

    def contexts(self, contexts: NaturalContexts, start: Sequence[int]) -> dict[int, list[float]]:
        """Return the probability of every token where it stands, see `natural_context.read_contexts`.

        A place where a bound leaves open whether the model predicts the token there is left out.
        """
        pairs = [
            (token, prompt)
            for token, drawn in contexts.contexts.items()
            for context in drawn
            if self._carries(prompt := [*start, *context.tolist()], token)
        ]
        answer = self._model.next_tokens([prompt for _, prompt in pairs], [token for token, _ in pairs])
        is_bound = np.zeros(len(pairs), np.bool_) if answer.is_bound is None else answer.is_bound
        found: dict[int, list[float]] = {token: [] for token in contexts.contexts}
        for (token, _), log_p, bounded in zip(pairs, answer.log_p.tolist(), is_bound.tolist(), strict=True):
            p = math.exp(log_p)
            if not (bounded and p >= WEAK_BELOW):
                found[token].append(p)
        return found

    def emission(self, windows: Sequence[Sequence[int]], start: Sequence[int]) -> npt.NDArray[np.float32]:
        """Return NaN for every token, shape (V,): a whole row of probabilities is not to be had."""
        return np.full(self._rows, np.nan, dtype=np.float32)
