"""How servers are asked for the next token, and how they answer: one class per dialect, no network here.

Sources: README of llama.cpp's `tools/server` (`/completion`, `/props`), and vLLM's reference of its
OpenAI-compatible server (`/v1/completions` with a prompt of ids, `return_tokens_as_token_ids`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["DIALECTS", "Answer", "Dialect"]

#: What is added to the logit of the token that is to be said. OpenAI's interface allows no more.
BIAS = 100.0


@dataclass(frozen=True)
class Answer:
    """What a server says of one next token."""

    #: Natural log of the probability of the token asked about.
    log_p: float
    #: The id that the model finds most probable.
    said: int
    #: The id that the server gave: the one it was made to give, if it obeys.
    chosen: int


class Dialect(Protocol):
    """One way of asking."""

    #: Where questions go, and where the server tells of itself.
    path: str
    about: str

    def speaks(self, facts: object) -> bool:
        """Whether what the server tells of itself is of this dialect."""

    def names(self, facts: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of the models served; none where a question needs no name."""

    def positions(self, facts: Mapping[str, Any]) -> int | None:
        """Return how many ids a prompt may have, if the server says."""

    def question(self, prompt: list[int], token: int | None, name: str | None) -> dict[str, object]:
        """Return the body of a request; `token` None: nothing is forced."""

    def answer(self, body: Any, token: int | None) -> Answer:
        """Return what the body of an answer says; a KeyError, ValueError and the like where it does not."""


class LlamaCppServer:
    """llama.cpp's own interface."""

    path = "/completion"
    about = "/props"

    def speaks(self, facts: object) -> bool:
        """Whether there are llama.cpp's settings of generation."""
        return isinstance(facts, dict) and "default_generation_settings" in facts

    def names(self, facts: Mapping[str, Any]) -> Sequence[str]:
        """Return nothing: one model is served."""
        return ()

    def positions(self, facts: Mapping[str, Any]) -> int | None:
        """Return the context of one slot."""
        settings = facts["default_generation_settings"]
        return _count(settings.get("n_ctx")) if isinstance(settings, dict) else None

    def question(self, prompt: list[int], token: int | None, name: str | None) -> dict[str, object]:
        """Return a request for one token, the most probable one after the bias."""
        return {
            "prompt": prompt,
            "n_predict": 1,
            "temperature": 0.0,
            "samplers": ["temperature"],
            "n_probs": 1,
            "post_sampling_probs": False,
            "cache_prompt": True,
            "stream": False,
            "logit_bias": [] if token is None else [[token, BIAS]],
        }

    def answer(self, body: Any, token: int | None) -> Answer:
        """Read `completion_probabilities`."""
        step = body["completion_probabilities"][0]
        return Answer(log_probability(step["logprob"]), int(step["top_logprobs"][0]["id"]), int(step["id"]))


class OpenAICompletions:
    """OpenAI's completions with prompts and answers in ids, as vLLM serves them."""

    path = "/v1/completions"
    about = "/v1/models"

    def speaks(self, facts: object) -> bool:
        """Whether there is a list of models."""
        return isinstance(facts, dict) and isinstance(facts.get("data"), list)

    def names(self, facts: Mapping[str, Any]) -> Sequence[str]:
        """Return the ids of the models."""
        return [str(model["id"]) for model in facts["data"] if isinstance(model, dict) and "id" in model]

    def positions(self, facts: Mapping[str, Any]) -> int | None:
        """Return what vLLM says of the first model."""
        models = [model for model in facts["data"] if isinstance(model, dict)]
        return _count(models[0].get("max_model_len")) if models else None

    def question(self, prompt: list[int], token: int | None, name: str | None) -> dict[str, object]:
        """Return a request for one token, the most probable one after the bias."""
        return {
            **({} if name is None else {"model": name}),
            "prompt": prompt,
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": 1,
            "return_tokens_as_token_ids": True,
            "stream": False,
            **({} if token is None else {"logit_bias": {str(token): BIAS}}),
        }

    def answer(self, body: Any, token: int | None) -> Answer:
        """Read the `logprobs` of the first choice, whose tokens are written `token_id:N`."""
        logprobs = body["choices"][0]["logprobs"]
        top = {_id(name): log_probability(value) for name, value in logprobs["top_logprobs"][0].items()}
        said = max(top, key=lambda each: top[each])
        return Answer(log_probability(logprobs["token_logprobs"][0]), said, _id(logprobs["tokens"][0]))


#: The dialects, in the order they are tried: llama.cpp speaks the second, too, without ids.
DIALECTS: tuple[Dialect, ...] = (LlamaCppServer(), OpenAICompletions())


def _id(name: str) -> int:
    """Return the id in `token_id:N`.

    :raises ValueError: If it is written otherwise.
    """
    word, _, number = name.partition(":")
    if word != "token_id":
        raise ValueError(f"{name!r} is no token_id")
    return int(number)


def log_probability(value: object) -> float:
    """Return a log-probability.

    :raises ValueError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no log-probability")
    # Rounding puts sure tokens a little above 0.
    if math.isnan(value) or value > 1e-3:
        raise ValueError(f"{value!r} is no log-probability")
    return min(float(value), 0.0)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
