"""Verification of a model that can only be asked for the next token: a server, or an engine of its own.

The probes, prompts, steps and verdicts are those of `plain_verification`; a token leaves as soon as something
has shown it, as in `verification`. What is missing are the savings that need the model at hand: every prompt
is put whole, and whoever answers is trusted to know again what stood before it. A token costs one question
where the first probe shows it, and one question for every probe, prompt and step where nothing does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.schema.words import INCONCLUSIVE_BELOW
from forensics.sources.interface import NextTokenModel
from forensics.undertrained.natural_context import NaturalContexts
from forensics.undertrained.plain_verification import STEPS
from forensics.undertrained.probe_cascade import CascadeReading
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

__all__ = ["AskedText", "AskedVerifier"]

_Found = dict[int, dict[str, PromptEvidence]]


class AskedVerifier:
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
        """Keep what is put.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for: ids below it.
        :param prompts: The prompts, cheapest first; all of them count towards `max_prob`.
        :param decode: Ids to text, for the evidence.
        :param probes: Short prompts that come first; they count towards `max_prob` too.
        :param steps: How many tokens are generated per prompt.
        :raises BadInputError: If there is no prompt.
        """
        if not prompts:
            raise BadInputError("prompts", "none given", "pass at least one prompt")
        self.prompts = tuple(prompts)
        self.probes = tuple(probes)
        self._model = model
        self._rows = rows
        self._decode = decode
        self._steps = steps

    @property
    def most_questions(self) -> int:
        """Questions that a token costs which nothing shows."""
        return len(self.probes) + self._steps * len(self.prompts)

    def probe(self, token_ids: Sequence[int], leave_at: float) -> CascadeReading:
        """Return what the probes alone show of each token, see `ProbeCascade.read`."""
        shape = (len(token_ids), len(self.probes))
        log_p = np.full(shape, np.nan, dtype=np.float32)
        said = np.full(shape, -1, dtype=np.int64)
        ids = np.asarray(token_ids, dtype=np.int64)
        open_rows = np.arange(len(ids))
        for column, probe in enumerate(self.probes):
            asked = ids[open_rows].tolist()
            answer = self._model.next_tokens([probe.fill(t) for t in asked], asked)
            log_p[open_rows, column] = answer.log_p
            said[open_rows, column] = answer.said
            open_rows = open_rows[~(answer.log_p >= np.log(leave_at))]
        return CascadeReading(tuple(probe.name for probe in self.probes), log_p, said)

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, in the order given."""
        found = self._probed(token_ids, leave_at=INCONCLUSIVE_BELOW)
        self._put_prompts(found)
        return [self._conclude(token_id, found) for token_id in token_ids]

    def verify_past_probes(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, where no probe lets a token go before the prompts."""
        probed = self._probed(token_ids, leave_at=math.inf)
        found: _Found = {token_id: {} for token_id in probed}
        self._put_prompts(found)
        merged = {token_id: {**probed[token_id], **found[token_id]} for token_id in probed}
        return [self._conclude(token_id, merged) for token_id in token_ids]

    def _probed(self, token_ids: Sequence[int], leave_at: float) -> _Found:
        known = [t for t in dict.fromkeys(token_ids) if 0 <= t < self._rows]
        if not self.probes:
            return {token_id: {} for token_id in known}
        reading = self.probe(known, leave_at)
        return {token_id: reading.evidence(row, self._decode) for row, token_id in enumerate(known)}

    def _put_prompts(self, found: _Found) -> None:
        for prompt in self.prompts:
            in_doubt = [t for t, shown in found.items() if not any(map(_rejects, shown.values()))]
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

    def _conclude(self, token_id: int, found: _Found) -> TokenEvidence:
        if token_id not in found:
            return TokenEvidence.not_encodable(token_id)
        kinds = (*self.probes, *self.prompts)
        shown = [found[token_id][p.name] for p in kinds if p.name in found[token_id]]
        is_bound = len(shown) < len(kinds) or not all(s.complete for s in shown)
        return TokenEvidence.from_prompts(token_id, shown, is_bound)


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


def _rejects(evidence: PromptEvidence) -> bool:
    return any(p >= INCONCLUSIVE_BELOW for p in evidence.probabilities)
