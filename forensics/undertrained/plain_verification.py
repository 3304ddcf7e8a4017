"""Verification the slow way: one token, one prompt, one step at a time.

This is the procedure of Land and Bartolo 2024 (arXiv 2405.05417) written down so that it can be checked
by reading it; `forensics.undertrained.verification` gives the same verdicts faster and is tested against
this. It skips nothing, so `max_prob` is exact for rejected tokens too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

__all__ = ["STEPS", "verify_plainly"]

#: Generated tokens that are looked at; the paper's number.
STEPS = 3


def verify_plainly(
    model: Any,
    prompts: Sequence[Prompt],
    token_id: int,
    decode: Callable[[Sequence[int]], str],
    steps: int = STEPS,
    use_cache: bool = False,
) -> TokenEvidence:
    """Return the evidence about one token, from a whole forward pass for every generated token.

    :param model: A causal language model with transformers' forward interface.
    :param prompts: The prompts, in any order; a probe is read for one step.
    :param token_id: The token under test.
    :param decode: Ids to text, for the evidence.
    :param steps: How many tokens are generated per prompt.
    :param use_cache: Keep the keys and values between the steps of one prompt and compute the last
        position's logits only, as transformers' `generate` does: same numbers, a third of the time or
        less. The benchmark compares with this; the oracle of the tests goes without.
    """
    evidence = []
    for prompt in prompts:
        reach = 1 if prompt.is_probe else steps
        probabilities, generated = _generate(model, prompt.fill(token_id), token_id, reach, use_cache)
        evidence.append(PromptEvidence(prompt.name, probabilities, generated, decode(list(generated))))
    return TokenEvidence.from_prompts(token_id, evidence)


def _generate(
    model: Any, ids: list[int], token_id: int, steps: int, use_cache: bool
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Continue `ids` greedily; return the probability of `token_id` at each step and what was said."""
    import torch

    probabilities: list[float] = []
    generated: list[int] = []
    cache: dict[str, Any] = {"logits_to_keep": 1} if use_cache else {}
    unread = ids
    with torch.inference_mode():
        for _ in range(steps):
            answer = model(
                input_ids=torch.tensor([unread], device=model.device), use_cache=use_cache, **cache
            )  # logits (1, length, V)
            log_probabilities = answer.logits[0, -1].float().log_softmax(-1)  # (V,)
            probabilities.append(math.exp(log_probabilities[token_id].item()))
            generated.append(int(log_probabilities.argmax()))
            if use_cache:
                cache["past_key_values"], unread = answer.past_key_values, generated[-1:]
            else:
                unread = [*ids, *generated]
    return tuple(probabilities), tuple(generated)
