"""A model behind the address of an inference server, asked for one next token at a time.

Two dialects are spoken, both of which take a prompt as token ids, so that also tokens can be tested that no
text encodes to: llama.cpp's own `/completion`, and OpenAI's `/v1/completions` as vLLM serves it. One request
asks two things at once. The token under test is forced by a bias, and what is read is its probability before
the bias, beside the token that the model would have said: both servers report probabilities as the model gave
them (llama.cpp unless `post_sampling_probs` is set, vLLM with its default `--logprobs-mode raw_logprobs`). A
server that reports them after the bias is found out by `check` and refused.

Servers that take only text or only a chat are asked otherwise, see `served_text` and `served_chat`: most
suspicious tokens cannot be written down there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forensics.errors import BadInputError, OptionError
from forensics.sources.interface import NextTokens
from forensics.sources.runtimes.server_connection import (
    IN_FLIGHT,
    KEY_VARIABLE,
    Connection,
    NoUseError,
    Patience,
)
from forensics.sources.runtimes.server_dialects import DIALECTS, Answer, Dialect
from forensics.sources.runtimes.server_listings import UNREADABLE

__all__ = ["KEY_VARIABLE", "Patience", "ServedModel"]

#: Largest difference of a log-probability, forced against free; servers compute in half precision.
TOLERANCE = 0.25


class ServedModel:
    """A model behind an address; a `NextTokenModel`.

    >>> ServedModel("http://127.0.0.1:8080").next_tokens([[1, 2, 3]], [4]).log_p   # doctest: +SKIP
    array([-11.2], dtype=float32)
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        max_requests: int | None = None,
        in_flight: int = IN_FLIGHT,
        patience: Patience | None = None,
    ) -> None:
        """Find out who answers.

        :param url: `http://host:port`, with or without the path of the interface.
        :param name: The model's name, where the server has several.
        :param max_requests: Most requests that may be sent; one that is sent again counts again with the
            server, but not here.
        :param in_flight: Requests under way at once.
        :param patience: How long to wait and how often to try.
        :raises OptionError: If the address is none, or nobody of a known dialect answers there.
        :raises MissingExtraError: If urllib3 is not installed.
        """
        #: The line to the server; other interfaces of it may be asked over the same.
        self.connection = Connection(url, max_requests=max_requests, in_flight=in_flight, patience=patience)
        self._dialect, facts = self._find_dialect()
        self.name = name if name is not None else self._only_name(facts)
        #: Ids that a prompt may have, where the server says.
        self.positions = self._dialect.positions(facts)

    @property
    def url(self) -> str:
        """The address, without the path of the interface."""
        return self.connection.url

    @property
    def requests(self) -> int:
        """Questions asked so far."""
        return self.connection.requests

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt, see `NextTokenModel`.

        :raises OptionError: If that needs more requests than are allowed.
        :raises BadInputError: If the server does not answer, or answers something else.
        """
        pairs = [(list(map(int, p)), int(t)) for p, t in zip(prompts, tokens, strict=True)]
        answers = self.connection.ask_all(lambda pair: self._ask(*pair), pairs)
        return NextTokens(
            np.array([answer.log_p for answer in answers], dtype=np.float32),
            np.array([answer.said for answer in answers], dtype=np.int64),
        )

    def check(self, prompt: Sequence[int], other: int) -> None:
        """Make sure that forcing a token leaves its reported probability as the model gave it.

        :param prompt: Ids of an ordinary prompt.
        :param other: A token that the model will hardly say behind it.
        :raises BadInputError: If it does not; a `NoUseError` where another interface may be better.
        """
        free = self._ask(list(prompt), None)
        same, forced = self._ask(list(prompt), free.said), self._ask(list(prompt), other)
        differs = not abs(free.log_p - same.log_p) <= TOLERANCE
        if differs or forced.said != free.said or forced.log_p > free.log_p + TOLERANCE:
            found = "reports probabilities as its bias made them, not as the model gave them"
            raise NoUseError(self.url, found, "use llama.cpp, or vLLM with raw_logprobs")

    def _ask(self, prompt: list[int], token: int | None) -> Answer:
        """Ask one question; `token` None: let the model say what it likes and report that."""
        said = self.connection.ask(self._dialect.path, self._dialect.question(prompt, token, self.name))
        try:
            answer = self._dialect.answer(said, token)
        except UNREADABLE as error:
            raise self.connection.misread(said, "the probability of a token") from error
        if token is not None and answer.chosen != token:
            # The end of the text is not reported by every server; nothing else may be exchanged.
            return Answer(math.nan, answer.said, answer.chosen)
        return answer

    def _find_dialect(self) -> tuple[Dialect, Mapping[str, Any]]:
        reasons = []
        for dialect in DIALECTS:
            try:
                facts = self.connection.look(dialect.about)
            except BadInputError as error:
                reasons.append(error.found)
                continue
            if dialect.speaks(facts):
                return dialect, facts
        found = reasons[0] if reasons else "answers, but neither as llama.cpp nor as OpenAI's completions"
        raise OptionError("endpoint", f"{self.url} {found}", "name the address of a running server")

    def _only_name(self, facts: Mapping[str, Any]) -> str | None:
        names = self._dialect.names(facts)
        if len(names) > 1:
            found = f"{self.url} serves {', '.join(names[:5])}"
            raise OptionError("endpoint_model", found, "name one of them")
        return names[0] if names else None
