"""An inference server on this machine, well behaved or hostile, for whoever asks served models.

It speaks the two dialects as the README of llama.cpp's server and the reference of vLLM describe them. What
it answers comes from a function of the prompt, so that the truth is known.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

#: Ids of a prompt -> log-probabilities of the next token, shape (V,).
Model = Callable[[Sequence[int]], np.ndarray]


@dataclass
class Behaviour:
    """How a server answers."""

    model: Model
    #: `llama.cpp` or `vllm`.
    dialect: str = "llama.cpp"
    #: Probabilities are reported after the bias, as some servers do.
    after_bias: bool = False
    #: Number of a question, from 0 -> what to do instead of answering it: a status, `cut` or bytes to send.
    instead: dict[int, int | str | bytes] = field(default_factory=dict)
    #: Headers as they came, and questions counted.
    seen: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    lock: Any = field(default_factory=threading.Lock)


def copier(size: int, dead: set[int]) -> Model:
    """Return a model that says again the last but one of its ids, unless that is one of the dead.

    Behind a probe, `[t][ =]`, that is the token under test.
    """

    def next_token(ids: Sequence[int]) -> np.ndarray:
        logits = np.zeros(size)
        living = [i for i in ids[-12:] if i not in dead]
        # Whatever stood there lately may come again; what is dead never does.
        logits[living] = 9.0
        logits[[i for i in dead if i < size]] = -9.0
        return logits - np.log(np.exp(logits).sum())

    return next_token


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Run the server and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path == "/props" and behaviour.dialect == "llama.cpp":
                self._say({"default_generation_settings": {"n_ctx": 2048}})
            elif self.path == "/v1/models" and behaviour.dialect == "vllm":
                self._say({"object": "list", "data": [{"id": "tiny", "max_model_len": 2048}]})
            else:
                self._say({"error": "not found"}, 404)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with behaviour.lock:
                number, behaviour.asked = behaviour.asked, behaviour.asked + 1
                behaviour.seen.append(dict(self.headers))
            instead = behaviour.instead.get(number, behaviour.instead.get(-1))
            if instead == "cut":
                self.close_connection = True
                self.connection.close()
            elif isinstance(instead, int):
                self._say({"error": "not now"}, instead)
            elif isinstance(instead, bytes):
                self._send(instead)
            else:
                self._say(_answer(behaviour, body))

        def _say(self, answer: object, status: int = 200) -> None:
            self._send(json.dumps(answer).encode(), status)

        def _send(self, data: bytes, status: int = 200) -> None:
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _answer(behaviour: Behaviour, body: dict[str, Any]) -> dict[str, Any]:
    log_p = behaviour.model(body["prompt"])
    bias = body.get("logit_bias") or {}
    pairs = bias.items() if isinstance(bias, dict) else bias
    biased = log_p.copy()
    for token, value in pairs:
        biased[int(token)] += value
    chosen = int(biased.argmax())
    told = biased - np.logaddexp.reduce(biased) if behaviour.after_bias else log_p
    said = int(told.argmax())
    if behaviour.dialect == "llama.cpp":
        step = {"id": chosen, "logprob": float(told[chosen])}
        step["top_logprobs"] = [{"id": said, "logprob": float(told[said])}]
        return {"completion_probabilities": [step]}
    top = {f"token_id:{i}": float(told[i]) for i in {chosen, said}}
    logprobs = {
        "tokens": [f"token_id:{chosen}"],
        "token_logprobs": [float(told[chosen])],
        "top_logprobs": [top],
    }
    return {"choices": [{"logprobs": logprobs}]}
