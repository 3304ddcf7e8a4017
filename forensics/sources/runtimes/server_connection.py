"""The line to an inference server: urllib3 sends, repeats and waits; what comes back is not trusted.

Answers are bounded in size and time, and whatever is none ends the run with one line; the verdicts so far are
kept. Which interface the server speaks is no matter of this file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from forensics.errors import BadInputError, MissingExtraError, OptionError

if TYPE_CHECKING:
    import urllib3

__all__ = ["IN_FLIGHT", "KEY_VARIABLE", "Connection", "NoUseError", "Patience"]

#: Where the key of a server that wants one is taken from; it is written nowhere.
KEY_VARIABLE = "FORENSICS_ENDPOINT_KEY"
#: Requests under way at once. Servers gather what arrives together into one batch.
IN_FLIGHT = 16
#: Seconds to wait for a connection and for an answer.
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 300.0
#: How often a request is sent again, the first wait (doubled each time) and the longest one, in seconds.
RETRIES, FIRST_WAIT, LONGEST_WAIT = 6, 0.5, 30.0
#: Answers that say "again, later", and answers that ask for a key.
_AGAIN, _NO_KEY = (408, 425, 429, 500, 502, 503, 504), (401, 403)
#: Largest answer that is read, in bytes; one token with its probability takes a few hundred.
MOST_BYTES = 4 * 2**20

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class NoUseError(BadInputError):
    """The server answers, but not as this interface wants it; another one may be better."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for; the tests are less patient."""

    answer_seconds: float = ANSWER_SECONDS
    retries: int = RETRIES
    first_wait: float = FIRST_WAIT


class Connection:
    """The line to one server, and how many questions went over it."""

    def __init__(
        self,
        url: str,
        *,
        max_requests: int | None = None,
        in_flight: int = IN_FLIGHT,
        patience: Patience | None = None,
    ) -> None:
        """Keep the address; nothing is sent yet.

        :param url: `http://host:port`, with or without the path of the interface.
        :param max_requests: Most questions that may be asked; one that is sent again counts again with the
            server, but not here.
        :param in_flight: Requests under way at once.
        :param patience: How long to wait and how often to try.
        :raises OptionError: If the address is none.
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

    def look(self, path: str) -> Any:
        """Return what the server tells of itself.

        :raises BadInputError: If it does not.
        """
        return self._send("GET", path, None)

    def ask(self, path: str, body: object) -> Any:
        """Ask one question and return the JSON of the answer.

        :raises OptionError: If no more questions are allowed.
        :raises BadInputError: If there is no answer; a `NoUseError` where the question was not understood.
        """
        with self._lock:
            if self._most is not None and self.requests >= self._most:
                found = f"{self._most:,} requests were sent and more are needed"
                raise OptionError("max_requests", found, "allow more; the same command goes on from here")
            self.requests += 1
        return self._send("POST", path, body)

    def ask_all(self, ask: Callable[[_Item], _Answer], items: Sequence[_Item]) -> list[_Answer]:
        """Return what `ask` gives for each of `items`, several at a time; the first failure ends all."""
        if not items:
            return []
        with ThreadPoolExecutor(min(self._in_flight, len(items))) as workers:
            futures = [workers.submit(ask, item) for item in items]
            try:
                return [future.result() for future in futures]
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise

    def misread(self, said: object, wanted: str) -> NoUseError:
        """Return the error for an answer that does not hold what was asked for."""
        found = f"answers without {wanted}: {json.dumps(said)[:160]}"
        return NoUseError(self.url, found, "name a server of llama.cpp or vLLM")

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
            raise _refusal(self.url, answer.status, f"answers {answer.status} to {path} ({words})")
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            found = f"answers something else than JSON to {path}"
            raise NoUseError(self.url, found, "name a server of llama.cpp or vLLM") from error


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
    for ending in ("/completions", "/completion", "/chat", "/v1"):
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _refusal(url: str, status: int, found: str) -> BadInputError:
    """Return the error for an answer that is none."""
    if status in _NO_KEY:
        return BadInputError(url, found, f"put the server's key into {KEY_VARIABLE}")
    if status in _AGAIN:
        # What some servers say to a field that they do not know.
        kind = NoUseError if status == 500 else BadInputError
        return kind(url, found, "wait, and repeat the command")
    return NoUseError(url, found, "look at the server's log")
