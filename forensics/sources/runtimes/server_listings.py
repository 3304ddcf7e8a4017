r"""Lists of the most probable next tokens, as servers of OpenAI's interfaces give them; no network here.

Two shapes are about. The older one, of `/v1/completions`, has an object from token text to log-probability
for every place; tokens that are no whole text are written `bytes:\xe2\x80` there, in vLLM all of them as
`token_id:7` if it is started so, and two tokens of one text are one entry. The newer one, of
`/v1/chat/completions` and of llama.cpp in both, has an array of entries with text and bytes, and with the id
in llama.cpp. Which of the two comes is read off the answer.

What is not listed is known by a bound. A token outside the N most probable has at most the least probability
of these, and at most what they leave over. Servers that report what a temperature of 0 makes of the
probabilities give all to one token: such a list is a sham and bounds nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.sources.runtimes.server_dialects import log_probability

__all__ = ["UNREADABLE", "Listed", "Place", "Reading", "chat_places", "completion_place", "read_place"]

#: What reading an answer of another shape than expected raises.
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)

#: Natural log below which a number was made up: float32 has none of that size (OpenAI writes -9999).
_MADE_UP = -100.0


@dataclass(frozen=True)
class Listed:
    """One entry of a list."""

    #: The token as the server writes it.
    text: str
    #: Natural log of its probability.
    log_p: float
    #: Its id and its bytes, where the server gives them.
    token_id: int | None = None
    data: bytes | None = None

    @property
    def spelled(self) -> bytes:
        """The bytes that it adds to the answer."""
        return self.text.encode("utf-8", "replace") if self.data is None else self.data


@dataclass(frozen=True)
class Place:
    """One place of an answer: what was said there, and what else might have been, the most probable first."""

    said: Listed
    top: tuple[Listed, ...]

    @property
    def is_sham(self) -> bool:
        """Whether the numbers are not the model's: nothing has a probability but what was said."""
        return any(each.log_p < _MADE_UP for each in self.top) or len(self.top) < 2


@dataclass(frozen=True)
class Reading:
    """What a place tells of one token."""

    #: Natural log of its probability, or of what that does not exceed.
    log_p: float
    is_bound: bool


def read_place(place: Place | None, is_token: Callable[[Listed], bool]) -> Reading:
    """Return what a place tells of the token that `is_token` knows; None is a place that there is not.

    >>> place = Place(Listed("a", -0.1), (Listed("a", -0.1), Listed("b", -3.0)))
    >>> read_place(place, lambda listed: listed.text == "b")
    Reading(log_p=-3.0, is_bound=False)
    >>> read_place(place, lambda listed: listed.text == "c").is_bound
    True
    """
    if place is None:
        return Reading(0.0, True)
    for each in place.top:
        if is_token(each) and each.log_p >= _MADE_UP:
            return Reading(each.log_p, False)
    if place.is_sham:
        return Reading(0.0, True)
    left_over = 1.0 - math.fsum(math.exp(each.log_p) for each in place.top)
    least = min(each.log_p for each in place.top)
    # A remainder within the rounding of the numbers is none.
    return Reading(min(least, math.log(max(left_over, 1e-6))), True)


def completion_place(body: Any, count: int) -> Place | None:
    """Return the first place of a completion; None where nothing is listed.

    That is so at the end of a text, and llama.cpp lists nothing where what was said is part of a character.

    :param body: The JSON of the answer.
    :param count: Tokens that were to be listed; one more is what was said besides.
    :raises ValueError: And KeyError, TypeError and the like, if the answer has no such list.
    """
    logprobs = body["choices"][0]["logprobs"]
    if logprobs is None:
        return None
    if "content" in logprobs:
        places = _places(logprobs["content"], count)
        return places[0] if places else None
    if not logprobs["tokens"]:
        return None
    top = [_listed(str(text), value) for text, value in logprobs["top_logprobs"][0].items()]
    said = _listed(str(logprobs["tokens"][0]), logprobs["token_logprobs"][0])
    return _place(said, top, count)


def chat_places(body: Any, count: int) -> list[Place]:
    """Return the places of a chat's answer, none where the server gives no probabilities; see above."""
    logprobs = body["choices"][0].get("logprobs")
    return _places(logprobs["content"], count) if logprobs and logprobs.get("content") else []


def _places(content: Any, count: int) -> list[Place]:
    return [
        _place(_entry(each), [_entry(other) for other in each["top_logprobs"]], count) for each in content
    ]


def _place(said: Listed, top: Sequence[Listed], count: int) -> Place:
    if not top:
        raise ValueError("no token is listed")
    return Place(said, tuple(sorted(top, key=lambda each: -each.log_p)[:count]))


def _entry(entry: Any) -> Listed:
    """Return an entry of the newer shape."""
    token_id, data = entry.get("id"), entry.get("bytes")
    known = isinstance(token_id, int) and not isinstance(token_id, bool)
    return Listed(
        str(entry["token"]),
        log_probability(entry["logprob"]),
        token_id if known else None,
        # Special tokens have no bytes, and an empty list says as little as none.
        bytes(data) if isinstance(data, list) and data else None,
    )


def _listed(text: str, value: Any) -> Listed:
    """Return an entry of the older shape."""
    data, token_id = None, None
    if named := re.fullmatch(r"token_id:([0-9]{1,9})", text):
        token_id = int(named[1])
    if re.fullmatch(r"bytes:(\\x[0-9a-fA-F]{2})+", text):
        data = bytes.fromhex(text.removeprefix("bytes:").replace("\\x", ""))
    return Listed(text, log_probability(value), token_id, data)
