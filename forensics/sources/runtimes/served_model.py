"""A model behind the address of an inference server, asked for one next token at a time.

Two dialects are spoken, both of which take a prompt as token ids, so that also tokens can be tested that no
text encodes to: llama.cpp's own `/completion`, and OpenAI's `/v1/completions` as vLLM serves it. One request
asks two things at once. The token under test is forced by a bias, and what is read is its probability before
the bias, beside the token that the model would have said: both servers report probabilities as the model gave
them (llama.cpp unless `post_sampling_probs` is set, vLLM with its default `--logprobs-mode raw_logprobs`). A
server that reports them after the bias is found out by `check` and refused.

urllib3 sends, repeats and waits. What comes back is not trusted: it is bounded in size and time, and whatever
is no answer to the question ends the run with one line; the verdicts so far are kept.

Left out: servers that take only text or only a chat. Most suspicious tokens cannot be written down there.
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from forensics.errors import BadInputError, MissingExtraError, OptionError
from forensics.sources.interface import NextTokens
from forensics.sources.runtimes.server_dialects import DIALECTS, Answer, Dialect

if TYPE_CHECKING:
    import urllib3

__all__ = ["KEY_VARIABLE", "Patience", "ServedModel"]

#: Where the key of a server that wants one is taken from; it is written nowhere.
KEY_VARIABLE = "FORENSICS_ENDPOINT_KEY"
#: Requests under way at once. Servers gather what arrives together into one batch.
IN_FLIGHT = 16
#: Seconds to wait for a connection and for an answer.
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 300.0
#: How often a request is sent again, the first wait (doubled each time) and the longest one, in seconds.
RETRIES, FIRST_WAIT, LONGEST_WAIT = 6, 0.5, 30.0
#: Answers that say "again, later".
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
#: Largest answer that is read, in bytes; one token with its probability takes a few hundred.
MOST_BYTES = 4 * 2**20
#: Largest difference of a log-probability, forced against free; servers compute in half precision.
TOLERANCE = 0.25


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for; the tests are less patient."""

    answer_seconds: float = ANSWER_SECONDS
    retries: int = RETRIES
    first_wait: float = FIRST_WAIT


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
        self.url = _base(url)
        self._patience = patience or Patience()
        self._most = max_requests
        self._in_flight = in_flight
        self._lock = threading.Lock()
        #: Questions asked so far.
        self.requests = 0
        self._pool = self._open_pool()
        self._dialect, facts = self._find_dialect()
        self.name = name if name is not None else self._only_name(facts)
        #: Ids that a prompt may have, where the server says.
        self.positions = self._dialect.positions(facts)

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt, see `NextTokenModel`.

        :raises OptionError: If that needs more requests than are allowed.
        :raises BadInputError: If the server does not answer, or answers something else.
        """
        if not len(tokens):
            return NextTokens(np.empty(0, np.float32), np.empty(0, np.int64))
        with ThreadPoolExecutor(min(self._in_flight, len(tokens))) as workers:
            futures = [
                workers.submit(self._ask, list(map(int, prompt)), int(token))
                for prompt, token in zip(prompts, tokens, strict=True)
            ]
            try:
                answers = [future.result() for future in futures]
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
        return NextTokens(
            np.array([answer.log_p for answer in answers], dtype=np.float32),
            np.array([answer.said for answer in answers], dtype=np.int64),
        )

    def check(self, prompt: Sequence[int], other: int) -> None:
        """Make sure that forcing a token leaves its reported probability as the model gave it.

        :param prompt: Ids of an ordinary prompt.
        :param other: A token that the model will hardly say behind it.
        :raises BadInputError: If it does not.
        """
        free = self._ask(list(prompt), None)
        same, forced = self._ask(list(prompt), free.said), self._ask(list(prompt), other)
        differs = not abs(free.log_p - same.log_p) <= TOLERANCE
        if differs or forced.said != free.said or forced.log_p > free.log_p + TOLERANCE:
            found = "reports probabilities as its bias made them, not as the model gave them"
            raise BadInputError(self.url, found, "use llama.cpp, or vLLM with raw_logprobs")

    def _ask(self, prompt: list[int], token: int | None) -> Answer:
        """Ask one question; `token` None: let the model say what it likes and report that."""
        with self._lock:
            if self._most is not None and self.requests >= self._most:
                found = f"{self._most:,} requests were sent and more are needed"
                raise OptionError("max_requests", found, "allow more; the same command goes on from here")
            self.requests += 1
        body = self._dialect.question(prompt, token, self.name)
        said = self._send("POST", self._dialect.path, body)
        try:
            answer = self._dialect.answer(said, token)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            found = f"answers without the probability of a token: {json.dumps(said)[:160]}"
            raise BadInputError(self.url, found, "name a server of llama.cpp or vLLM") from error
        if token is not None and answer.chosen != token:
            # The end of the text is not reported by every server; nothing else may be exchanged.
            return Answer(math.nan, answer.said, answer.chosen)
        return answer

    def _find_dialect(self) -> tuple[Dialect, Mapping[str, Any]]:
        reasons = []
        for dialect in DIALECTS:
            try:
                facts = self._send("GET", dialect.about, None)
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

    def _open_pool(self) -> urllib3.PoolManager:
        try:
            import urllib3
        except ImportError as error:
            raise MissingExtraError("urllib3", "endpoint", "asking a server") from error
        headers = {"User-Agent": "forensics"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        retries = urllib3.Retry(
            total=self._patience.retries,
            redirect=False,
            allowed_methods=None,
            status_forcelist=_AGAIN,
            backoff_factor=self._patience.first_wait,
            backoff_max=LONGEST_WAIT,
            retry_after_max=int(LONGEST_WAIT),
            raise_on_status=False,
        )
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=self._patience.answer_seconds)
        return urllib3.PoolManager(maxsize=self._in_flight, headers=headers, retries=retries, timeout=timeout)

    def _send(self, method: str, path: str, body: object) -> Any:
        """Send a request and return the JSON of the answer.

        :raises BadInputError: If there is none.
        """
        import urllib3

        try:
            answer = self._pool.request(method, f"{self.url}{path}", json=body, preload_content=False)
            with answer:
                data = answer.read(MOST_BYTES + 1, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            found = f"does not answer ({' '.join(str(reason).split())[:160]})"
            raise BadInputError(self.url, found, "look whether the server runs") from error
        if len(data) > MOST_BYTES:
            raise BadInputError(
                self.url, f"answers with more than {MOST_BYTES:,} bytes", "look at the server"
            )
        if answer.status >= 300:
            words = " ".join(data[:200].decode("utf-8", "replace").split())
            raise BadInputError(
                self.url, f"answers {answer.status} to {path} ({words})", _remedy(answer.status)
            )
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            found = f"answers something else than JSON to {path}"
            raise BadInputError(self.url, found, "name a server of llama.cpp or vLLM") from error


def _base(url: str) -> str:
    """Return the address without the path of the interface.

    >>> _base("http://localhost:8000/v1/")
    'http://localhost:8000'
    """
    parts = urlsplit(url)
    try:
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:  # a port that is no number
        known = False
    if not known or parts.query or parts.fragment:
        raise OptionError("endpoint", f"{url!r} is no address", "give e.g. http://127.0.0.1:8080")
    if parts.username or parts.password:
        raise OptionError("endpoint", "holds a password", f"put the key into {KEY_VARIABLE}")
    path = parts.path.rstrip("/")
    for ending in ("/completions", "/completion", "/v1"):
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _remedy(status: int) -> str:
    if status in (401, 403):
        return f"put the server's key into {KEY_VARIABLE}"
    return "wait, and repeat the command" if status in _AGAIN else "look at the server's log"
