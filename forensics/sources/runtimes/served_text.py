"""A model behind a server that takes its prompts as text: OpenAI's `/v1/completions` with `logprobs`.

The prompts are those of `forensics.undertrained.prompts`, written out. One question asks for one next token
and for the list of the most probable ones there, and the token under test is looked up in it; where it is not
listed, what is known is what its probability does not exceed (`server_listings`). Nothing is forced, so that
a server whose biases do not work as they should can be asked this way, too.

What text cannot carry is not asked (`carries`), see `token_texts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from forensics.sources.interface import NextTokens
from forensics.sources.runtimes.server_connection import Connection, NoUseError
from forensics.sources.runtimes.server_listings import (
    UNREADABLE,
    Place,
    Reading,
    completion_place,
    read_place,
)
from forensics.sources.runtimes.token_texts import TokenTexts

__all__ = ["ServedText"]

_PATH = "/v1/completions"
#: Tokens that a server is asked to list; OpenAI's own interface allows five, most others more.
_COUNTS = (20, 5)


class ServedText:
    """A model that takes text; a `NextTokenModel` for what text can carry."""

    def __init__(
        self,
        connection: Connection,
        texts: TokenTexts,
        *,
        name: str | None = None,
        positions: int | None = None,
        open_prompt: Sequence[int],
    ) -> None:
        """Find out whether the server can be asked this way, and how many tokens it lists.

        :param connection: The line to the server.
        :param texts: What text can carry.
        :param name: The model's name, where the server has several.
        :param positions: Ids that a prompt may have, where the server says.
        :param open_prompt: Ids behind which many tokens are likely.
        :raises NoUseError: If it does not take text, or gives no probabilities as the model has them.
        :raises BadInputError: If it does not answer.
        """
        self.connection, self.texts = connection, texts
        self.name, self.positions = name, positions
        #: Ids of the first prompt, and how many the server counts in it; None where it does not say.
        self.lengths: tuple[int, int] | None = None
        #: Tokens listed at every place; fewer where several look alike to the server, such as parts of
        #: characters.
        self.count = self._find_count(open_prompt)

    def carries(self, prompt: Sequence[int], token: int) -> bool:
        """Whether `next_tokens` can be asked for `token` behind the ids of `prompt`."""
        return self.texts.carries(prompt, token)

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt, see `NextTokenModel`.

        :raises OptionError: If that needs more requests than are allowed.
        :raises BadInputError: If a text cannot carry a prompt, or the server does not answer as it did.
        """
        pairs = list(zip(prompts, map(int, tokens), strict=True))
        answers = self.connection.ask_all(lambda pair: self._read(*pair), pairs)
        return NextTokens(
            np.array([reading.log_p for reading, _ in answers], dtype=np.float32),
            np.array([said for _, said in answers], dtype=np.int64),
            np.array([reading.is_bound for reading, _ in answers], dtype=np.bool_),
        )

    def _read(self, prompt: Sequence[int], token: int) -> tuple[Reading, int]:
        place = self._place(prompt, self.count)
        said = -1 if place is None else self.texts.id_of(place.said)
        return read_place(place, lambda listed: self.texts.names(listed, token)), said

    def _place(self, prompt: Sequence[int], count: int) -> Place | None:
        """Return what the server says behind `prompt`; None at the end of a text."""
        said = self._ask(prompt, count)
        try:
            return completion_place(said, count)
        except UNREADABLE as error:
            raise self.connection.misread(said, "the most probable tokens") from error

    def _ask(self, prompt: Sequence[int], count: int) -> Any:
        text = self.texts.text(prompt)
        if text is None:
            # Whoever asks looks first whether text carries it.
            found = "takes text, which carries no prompt that begins as this one does"
            raise NoUseError(self.connection.url, found, "scan it without the server")
        question = {
            **({} if self.name is None else {"model": self.name}),
            "prompt": text,
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": count,
            "stream": False,
        }
        said = self.connection.ask(_PATH, question)
        self._note_length(said, len(prompt))
        return said

    def _note_length(self, said: Any, length: int) -> None:
        """Keep how long the server thinks that the first prompt is, if it says so."""
        usage = said.get("usage") if isinstance(said, dict) else None
        counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if self.lengths is None and isinstance(counted, int):
            self.lengths = (length, counted)

    def _find_count(self, open_prompt: Sequence[int]) -> int:
        count, fewer = _COUNTS
        try:
            place = self._place(open_prompt, count)
        except NoUseError:
            count = fewer
            place = self._place(open_prompt, count)
        if place is None or place.is_sham:
            found = "lists no token but the one it says, or gives it all of the probability"
            raise NoUseError(self.connection.url, found, "use llama.cpp, or vLLM with raw_logprobs")
        return count
