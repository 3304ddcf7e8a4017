"""What every way of verification has in common: probes first, then prompts for whom no probe has shown."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from forensics.errors import BadInputError
from forensics.schema.words import INCONCLUSIVE_BELOW
from forensics.undertrained.probe_cascade import CascadeReading, ProbeCascade
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

__all__ = ["Found", "ProbesFirst", "is_rejected"]

#: Token id -> prompt name -> what it showed.
Found = dict[int, dict[str, PromptEvidence]]


class ProbesFirst(ABC):
    """Puts tokens to a model and says which of them it can produce."""

    def __init__(
        self, prompts: Sequence[Prompt], cascade: ProbeCascade, decode: Callable[[Sequence[int]], str]
    ) -> None:
        """Keep what is put.

        :param prompts: The prompts, cheapest first; all of them count towards `max_prob`.
        :param cascade: The probes, ready to be put; they come first and count from `PROBE_SHOWS` on.
        :param decode: Ids to text, for the evidence.
        :raises BadInputError: If there is no prompt.
        """
        if not prompts:
            raise BadInputError("prompts", "none given", "pass at least one prompt")
        self.prompts = tuple(prompts)
        self.cascade = cascade
        self._decode = decode

    @abstractmethod
    def _rows(self) -> int:
        """Return how many tokens the model can both read and say."""

    @abstractmethod
    def _put_prompts(self, found: Found) -> None:
        """Put the prompts to every token of `found` that is not rejected yet; add what they show."""

    def probe(self, token_ids: Sequence[int], leave_at: float) -> CascadeReading:
        """Return what the probes alone show of each token, see `ProbeCascade.read`.

        :raises BadInputError: If the model has no row for one of the tokens.
        """
        if outside := [t for t in token_ids if not 0 <= t < self._rows()]:
            raise BadInputError("tokens", f"the model has no row {outside[0]}", "probe rows it has")
        return self.cascade.read(token_ids, leave_at)

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, in the order given.

        :param token_ids: Tokens to be tested together. The last digits of a probability depend on the
            company a token is tested in, as every matrix product's do on its shape.
        """
        found = self._probed(token_ids, leave_at=INCONCLUSIVE_BELOW)
        self._put_prompts(found)
        return [self._conclude(token_id, found) for token_id in token_ids]

    def verify_past_probes(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, where no probe lets a token go before the prompts.

        Both are read, so this tells how often a probe finds a token that the prompts would have verified.
        """
        probed = self._probed(token_ids, leave_at=math.inf)
        found: Found = {token_id: {} for token_id in probed}
        self._put_prompts(found)
        merged = {token_id: {**probed[token_id], **found[token_id]} for token_id in probed}
        return [self._conclude(token_id, merged) for token_id in token_ids]

    def _probed(self, token_ids: Sequence[int], leave_at: float) -> Found:
        """Return what the probes show of every token the model has a row for."""
        known = [t for t in dict.fromkeys(token_ids) if 0 <= t < self._rows()]
        if not self.cascade.names:
            return {token_id: {} for token_id in known}
        reading = self.cascade.read(known, leave_at)
        return {token_id: reading.evidence(row, self._decode) for row, token_id in enumerate(known)}

    def _conclude(self, token_id: int, found: Found) -> TokenEvidence:
        if token_id not in found:
            return TokenEvidence.not_encodable(token_id)
        kinds = (*self.cascade.names, *(prompt.name for prompt in self.prompts))
        shown = [found[token_id][name] for name in kinds if name in found[token_id]]
        is_bound = len(shown) < len(kinds) or not all(s.complete for s in shown)
        return TokenEvidence.from_prompts(token_id, shown, is_bound)


def is_rejected(shown: dict[str, PromptEvidence]) -> bool:
    """Whether something has shown the token; the rest is not put to it any more."""
    return any(p >= INCONCLUSIVE_BELOW for evidence in shown.values() for p in evidence.told)
