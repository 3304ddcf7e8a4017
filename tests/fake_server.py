"""An inference server on this machine, well behaved or hostile, for whoever asks served models.

It speaks the two dialects of ids as the README of llama.cpp's server and the reference of vLLM describe them,
and as servers that take only text, or only a conversation, OpenAI's completions and chats. What it answers
comes from a function of the prompt, so that the truth is known.
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
    #: `llama.cpp`, `vllm`, `text` or `chat`; the last two need the tokenizer.
    dialect: str = "llama.cpp"
    tokenizer: Any = None
    #: Most tokens that `text` and `chat` list, 0: they give no probabilities; more are refused.
    listed: int = 20
    #: Whether lists are written in the newer shape, with bytes, or in the older one of text completions.
    newer: bool = False
    #: Whether the numbers are those of the temperature asked for: all to one token.
    after_temperature: bool = False
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
            elif self.path == "/v1/models" and behaviour.dialect in ("vllm", "text", "chat"):
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
            elif behaviour.dialect in _PATHS and self.path != _PATHS[behaviour.dialect]:
                self._say({"error": "not found"}, 404)
            else:
                answer = _ANSWERS.get(behaviour.dialect, _answer)(behaviour, body)
                self._say(answer, 400 if "error" in answer else 200)

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


def _text_answer(behaviour: Behaviour, body: dict[str, Any]) -> dict[str, Any]:
    """Answer a prompt of text with the most probable next tokens."""
    if not isinstance(body["prompt"], str) or body["logprobs"] > behaviour.listed:
        return {"error": "prompt: a string; logprobs: fewer"}
    ids = behaviour.tokenizer.encode(body["prompt"], add_special_tokens=False).ids
    log_p = behaviour.model(ids)
    said = int(log_p.argmax())
    choice = {"text": _written(behaviour, said)}
    if behaviour.newer:
        logprobs = _places(behaviour, [(said, log_p)], body["logprobs"])
        return {"choices": [{**choice, "logprobs": logprobs}], "usage": {"prompt_tokens": len(ids)}}
    top = _top(behaviour, log_p, body["logprobs"])
    logprobs = {
        "tokens": [_written(behaviour, said)],
        "token_logprobs": [top[0][1]],
        "top_logprobs": [{_written(behaviour, i): value for i, value in reversed(top)}],
    }
    return {"choices": [{**choice, "logprobs": logprobs}]}


def _chat_answer(behaviour: Behaviour, body: dict[str, Any]) -> dict[str, Any]:
    """Repeat what stands between the marks of the question, as far as the model is able to."""
    count = body.get("top_logprobs", 0)
    if count > behaviour.listed and behaviour.listed:
        return {"error": "top_logprobs: fewer"}
    messages = body["messages"]
    example, question = messages[1]["content"], messages[-1]["content"]
    quoted = question[question.index(example[0]) + 1 : question.rindex(example[-1])]
    tokenizer = behaviour.tokenizer
    places = [(i, _sure(i, behaviour)) for i in tokenizer.encode(example[0]).ids]
    for token in tokenizer.encode(quoted).ids:
        log_p = behaviour.model([token])
        places.append((int(log_p.argmax()), log_p))
    places = places[: body["max_tokens"]]
    content = tokenizer.decode([said for said, _ in places], skip_special_tokens=False)
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": content}}
    if behaviour.listed and count:
        choice["logprobs"] = _places(behaviour, places, count)
    return {"choices": [choice]}


def _sure(token: int, behaviour: Behaviour) -> np.ndarray:
    """Return a distribution that hardly allows anything but one token."""
    logits = np.zeros(len(behaviour.model([token])))
    logits[token] = 12.0
    return logits - np.log(np.exp(logits).sum())


def _top(behaviour: Behaviour, log_p: np.ndarray, count: int) -> list[tuple[int, float]]:
    if behaviour.after_temperature:
        log_p = np.where(np.arange(len(log_p)) == log_p.argmax(), 0.0, -9999.0)
    return [(int(i), float(log_p[i])) for i in np.argsort(-log_p, kind="stable")[:count]]


def _places(behaviour: Behaviour, said: list[tuple[int, np.ndarray]], count: int) -> dict[str, Any]:
    content = []
    for token, log_p in said:
        top = [_entry(behaviour, i, value) for i, value in _top(behaviour, log_p, count)]
        content.append({**_entry(behaviour, token, float(log_p[token])), "top_logprobs": top})
    return {"content": content}


def _entry(behaviour: Behaviour, token: int, log_p: float) -> dict[str, Any]:
    text = _written(behaviour, token)
    return {"token": text, "bytes": list(text.encode()), "logprob": log_p}


def _written(behaviour: Behaviour, token: int) -> str:
    """Return a token as servers write it: alone, what is part of a character as U+FFFD."""
    return str(behaviour.tokenizer.decode([token], skip_special_tokens=False))


_PATHS = {"text": "/v1/completions", "chat": "/v1/chat/completions"}
_ANSWERS = {"text": _text_answer, "chat": _chat_answer}
