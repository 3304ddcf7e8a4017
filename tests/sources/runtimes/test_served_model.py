"""Models behind an address: what is read, and what a bad server cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import BadInputError, OptionError
from forensics.sources.runtimes.served_model import KEY_VARIABLE, Patience, ServedModel
from tests.extras import need
from tests.fake_server import Behaviour, copier, serving

need("urllib3")

SIZE = 50
PATIENCE = Patience(answer_seconds=0.5, retries=3, first_wait=0.01)


def random_model(ids):
    logits = np.random.default_rng(list(ids)).normal(0, 3, SIZE)
    return logits - np.logaddexp.reduce(logits)


@pytest.mark.parametrize("dialect", ["llama.cpp", "vllm"])
def test_probabilities_are_those_of_the_model_and_not_of_the_bias(dialect):
    prompts = [[1, 2, i] for i in range(40)]
    tokens = list(range(5, 45))
    with serving(Behaviour(random_model, dialect)) as url:
        model = ServedModel(url, patience=PATIENCE)
        found = model.next_tokens(prompts, tokens)
        model.check([1, 2, 3], 7)
    truth = np.array([random_model(p) for p in prompts])
    assert found.log_p == pytest.approx(truth[np.arange(40), tokens], rel=1e-5)
    assert found.said.tolist() == truth.argmax(1).tolist()
    assert model.positions == 2048
    assert model.requests == 43


@pytest.mark.parametrize("dialect", ["llama.cpp", "vllm"])
def test_a_server_that_reports_its_bias_is_refused(dialect):
    with serving(Behaviour(random_model, dialect, after_bias=True)) as url:
        model = ServedModel(url, patience=PATIENCE)
        with pytest.raises(BadInputError, match="as its bias made them"):
            model.check([1, 2, 3], 7)


@pytest.mark.parametrize("trouble", [429, 500, 503, "cut"])
def test_a_passing_trouble_is_waited_for(trouble):
    behaviour = Behaviour(random_model, instead={0: trouble, 2: trouble})
    with serving(behaviour) as url:
        found = ServedModel(url, patience=PATIENCE, in_flight=1).next_tokens([[1], [2]], [3, 4])
    assert found.log_p == pytest.approx([random_model([1])[3], random_model([2])[4]], rel=1e-5)
    assert behaviour.asked == 4


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (429, "answers 429"),
        (500, "answers 500"),
        (400, "answers 400"),
        (401, KEY_VARIABLE),
        ("cut", "does not answer"),
        (b"<html>", "something else than JSON"),
        (b"[" * 100_000, "something else than JSON"),
        (b"{}", "without the probability"),
        (b'{"completion_probabilities": [{"id": 3, "logprob": 7, "top_logprobs": []}]}', "without the prob"),
        (
            b'{"completion_probabilities": [{"id": 3, "logprob": NaN, "top_logprobs": []}]}',
            "without the prob",
        ),
        (b" " * (5 * 2**20), "more than"),
    ],
    ids=str,
)
def test_a_lasting_trouble_is_one_clear_line(trouble, said):
    behaviour = Behaviour(random_model, instead={-1: trouble})
    with serving(behaviour) as url, pytest.raises(BadInputError, match=said) as caught:
        ServedModel(url, patience=PATIENCE).next_tokens([[1]] * 8, [3] * 8)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_silent_is_given_up():
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(OptionError, match="does not answer"):
            ServedModel(f"http://127.0.0.1:{silent.getsockname()[1]}", patience=Patience(0.05, 1, 0.01))


def test_requests_are_counted_and_bounded():
    behaviour = Behaviour(random_model)
    with serving(behaviour) as url:
        model = ServedModel(url, max_requests=5, patience=PATIENCE)
        model.next_tokens([[1]] * 5, [2] * 5)
        with pytest.raises(OptionError, match="5 requests were sent"):
            model.next_tokens([[1]], [2])
    assert behaviour.asked == 5


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "sesame")
    behaviour = Behaviour(random_model)
    with serving(behaviour) as url:
        ServedModel(url, patience=PATIENCE).next_tokens([[1]], [2])
    assert behaviour.seen[0]["Authorization"] == "Bearer sesame"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://me:word@host",
        "http://host/?q",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(OptionError):
        ServedModel(url, patience=PATIENCE)


def test_the_interface_may_be_named_in_the_address():
    with serving(Behaviour(copier(SIZE, set()), "vllm")) as url:
        model = ServedModel(f"{url}/v1/", patience=PATIENCE)
        assert (model.url, model.name) == (url, "tiny")


def test_something_else_than_a_model_is_told():
    behaviour = Behaviour(random_model, dialect="web page")
    with serving(behaviour) as url, pytest.raises(OptionError, match="answers 404"):
        ServedModel(url, patience=PATIENCE)
