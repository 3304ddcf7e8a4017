"""Verification in two precisions: bfloat16 first, float32 where that could matter.

A verified token has to go through every prompt in full, so on a vocabulary where most of the list verifies
there is little to leave early. Processors with bfloat16 instructions compute nearly twice as fast in it. Its
rounding moves a probability by some percent, which changes a verdict only near a threshold: tokens whose
drafted `max_prob` lies within a factor `GUARD` of one are put to the float32 model again, and that result
counts. Elsewhere the evidence holds bfloat16's probabilities.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from forensics.schema.words import INCONCLUSIVE_BELOW, STRONG_BELOW, WEAK_BELOW
from forensics.undertrained.probe_cascade import CascadeReading
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.verification import Verifier

__all__ = ["GUARD", "DraftedVerifier", "drafting_pays"]

#: How near to a threshold a drafted probability is not trusted, as a factor. Of 83 tokens of Gemma 3 270M
#: that went through all prompts in both precisions, `max_prob` differed by a factor of 1.05 in the median,
#: 1.17 in the ninth decile and 1.32 at most; one verdict differed, at a factor of 1.03 from a threshold.
GUARD = 1.6


def drafting_pays(model: Any) -> bool:
    """Return whether the model is a float32 model on a processor with bfloat16 instructions."""
    import torch

    if model.device.type != "cpu" or model.dtype != torch.float32:
        return False
    # Underscored in torch up to at least 2.13, and absent from some builds.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


class DraftedVerifier:
    """A `Verifier` that drafts in bfloat16; same call, same verdicts."""

    def __init__(
        self,
        model: Any,
        prompts: Sequence[Prompt],
        decode: Callable[[Sequence[int]], str],
        *,
        probes: Sequence[Prompt] = (),
        batch_size: int | None = None,
        guard: float = GUARD,
    ) -> None:
        """Make a bfloat16 copy of the model: half again as much memory.

        :param model: A float32 model, see `Verifier`.
        :param prompts: See `Verifier`.
        :param decode: See `Verifier`.
        :param probes: See `Verifier`.
        :param batch_size: See `Verifier`.
        :param guard: The factor around each threshold within which float32 decides; above 1.
        """
        import torch

        self._draft = Verifier(
            copy.deepcopy(model).to(torch.bfloat16), prompts, decode, probes=probes, batch_size=batch_size
        )
        self._full = Verifier(model, prompts, decode, probes=probes, batch_size=batch_size)
        self._guard = guard

    def probe(self, token_ids: Sequence[int], leave_at: float) -> CascadeReading:
        """Return what the probes alone show, in float32; see `Verifier.probe`."""
        return self._full.probe(token_ids, leave_at)

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, in the order given; see `Verifier.verify`."""
        return self._decide(self._draft.verify(token_ids), self._full.verify)

    def verify_past_probes(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence where no probe lets a token go; see `Verifier.verify_past_probes`."""
        return self._decide(self._draft.verify_past_probes(token_ids), self._full.verify_past_probes)

    def _decide(
        self, drafted: list[TokenEvidence], verify: Callable[[Sequence[int]], list[TokenEvidence]]
    ) -> list[TokenEvidence]:
        doubtful = [e.token_id for e in drafted if self._is_doubtful(e)]
        decided = {e.token_id: e for e in verify(doubtful)}
        return [decided.get(e.token_id, e) for e in drafted]

    def _is_doubtful(self, evidence: TokenEvidence) -> bool:
        p = evidence.max_prob
        return p is not None and any(
            threshold / self._guard < p < threshold * self._guard
            for threshold in (STRONG_BELOW, WEAK_BELOW, INCONCLUSIVE_BELOW)
        )
