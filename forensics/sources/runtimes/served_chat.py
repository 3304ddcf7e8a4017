"""A model behind a server that can only be talked to: OpenAI's `/v1/chat/completions`.

Such a server renders the conversation itself, and nothing can be put into the answer's mouth. So the model is
brought, by examples, to begin its answer with a quotation mark, and the token under test is looked up in the
list of the most probable tokens (`top_logprobs`) at the place right behind it. An answer that begins
otherwise tells nothing.

A server that gives no probabilities tells one thing only: whether the answer begins with the mark and the
token's text. That shows a token; that it does not is no probability, so nothing can be verified there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from forensics.sources.interface import ChatAnswer, ChatQuestion
from forensics.sources.runtimes.server_connection import Connection, NoUseError
from forensics.sources.runtimes.server_listings import UNREADABLE, Place, chat_places, read_place
from forensics.sources.runtimes.token_texts import TokenTexts

__all__ = ["ServedChat"]

_PATH = "/v1/chat/completions"
#: Ways of asking, the one that tells most first: what is sent besides the conversation, and the name by which
#: the length of the answer is bounded there.
_WAYS: tuple[tuple[Mapping[str, object], str], ...] = (
    ({"logprobs": True, "top_logprobs": 20}, "max_tokens"),
    ({"logprobs": True, "top_logprobs": 5}, "max_tokens"),
    ({}, "max_tokens"),
    # OpenAI's newer models refuse the older name.
    ({}, "max_completion_tokens"),
)
#: Tokens of an answer: white space, the mark and the token, or the mark and the token spelled in bytes.
_BEGINNING = 6
_LONGEST = 256
#: Characters of an answer that are kept for the evidence.
_KEPT = 200


class ServedChat:
    """A model that can only be talked to; a `ChatModel`."""

    def __init__(
        self, connection: Connection, texts: TokenTexts, *, name: str | None = None, trial: ChatQuestion
    ) -> None:
        """Find out whether the server can be talked to, and whether it gives probabilities.

        :param connection: The line to the server.
        :param texts: What text can carry.
        :param name: The model's name, where the server has several.
        :param trial: A question about a well-trained token.
        :raises BadInputError: If it cannot be talked to.
        """
        self.connection, self.texts = connection, texts
        self.name = name
        #: Whether answers come with probabilities as the model has them.
        self.gives_probabilities = False
        self._way, self._length_name = self._find_way(trial)

    def carries(self, before: str, token: int, after: str) -> bool:
        """See `ChatModel`."""
        return self.texts.carries_between(before, token, after)

    def written(self, token: int) -> str | None:
        """See `ChatModel`."""
        return self.texts.written(token)

    def answers(self, questions: Sequence[ChatQuestion]) -> list[ChatAnswer]:
        """Return what the model answers, see `ChatModel`.

        :raises OptionError: If that needs more requests than are allowed.
        :raises BadInputError: If the server does not answer as it did.
        """
        return self.connection.ask_all(self._answer, questions)

    def _answer(self, question: ChatQuestion) -> ChatAnswer:
        said, places = self._say(question, self._way, self._length_name)
        if not self.gives_probabilities:
            wanted = question.opening + (self.texts.written(question.token) or "")
            p = 0.0 if said.lstrip().startswith(wanted) else math.nan
            return ChatAnswer(p, False, -1, said[:_KEPT])
        place = _behind(said, places, question.opening.encode())
        if place is None:
            return ChatAnswer(math.nan, False, -1, said[:_KEPT])
        reading = read_place(place, lambda listed: self.texts.names(listed, question.token))
        return ChatAnswer(reading.log_p, reading.is_bound, self.texts.id_of(place.said), said[:_KEPT])

    def _say(
        self, question: ChatQuestion, way: Mapping[str, object], length_name: str
    ) -> tuple[str, list[Place]]:
        """Return the answer and what was likely at its places."""
        written = self.texts.written(question.token) or ""
        spelled = 0 if way else len(written.encode())
        body = {
            **({} if self.name is None else {"model": self.name}),
            "messages": list(question.messages),
            "temperature": 0.0,
            length_name: min(_BEGINNING + spelled, _LONGEST),
            "stream": False,
            **way,
        }
        said = self.connection.ask(_PATH, body)
        try:
            return _content(said), chat_places(said, int(str(way.get("top_logprobs", 0))))
        except UNREADABLE as error:
            raise self.connection.misread(said, "a message") from error

    def _find_way(self, trial: ChatQuestion) -> tuple[Mapping[str, object], str]:
        for number, (way, length_name) in enumerate(_WAYS, 1):
            try:
                _, places = self._say(trial, way, length_name)
            except NoUseError:
                if number == len(_WAYS):
                    raise
                continue
            # A server that knows the field not may leave it unanswered: then it gives no probabilities.
            self.gives_probabilities = bool(places) and not all(place.is_sham for place in places)
            if self.gives_probabilities or not way:
                break
        return way, length_name


def _content(body: Any) -> str:
    """Return the text of an answer, empty where the model says nothing.

    :raises TypeError: And KeyError and the like, if there is none.
    """
    content = body["choices"][0]["message"]["content"]
    if content is None:
        return ""
    if not isinstance(content, str):
        raise TypeError(f"{type(content).__name__} is no text")
    return content


def _behind(answer: str, places: Sequence[Place], opening: bytes) -> Place | None:
    """Return the place right behind `opening`; None where the answer does not begin with it.

    White space in front of it is passed over. A token that holds the opening and more leaves no such place,
    and neither does a list that passes over what was said there: llama.cpp leaves out parts of characters.
    """
    so_far = b""
    for place in places:
        if so_far.lstrip() == opening:
            rest = answer.lstrip().encode("utf-8", "replace").removeprefix(opening)
            return place if not rest or rest.startswith(place.said.spelled) else None
        so_far += place.said.spelled
        if not opening.startswith(so_far.lstrip()):
            return None
    return None
