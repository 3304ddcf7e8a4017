"""Servers that can only be talked to: where an answer is read, and what one without numbers tells."""

from __future__ import annotations

import json
import math

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from forensics.errors import BadInputError
from forensics.sources.interface import ChatQuestion
from forensics.sources.runtimes.served_chat import ServedChat
from forensics.sources.runtimes.server_connection import Connection, NoUseError, Patience
from forensics.sources.runtimes.token_texts import TokenTexts
from tests.extras import need
from tests.fake_server import Behaviour, serving

need("urllib3")

PATIENCE = Patience(answer_seconds=0.5, retries=1, first_wait=0.01)
PIECES = ("foo", "bar", '"', "»", " ", "\n")
QUESTION = ChatQuestion(({"role": "user", "content": 'Repeat "foo"'},), '"', 0)


@pytest.fixture(scope="module")
def texts():
    encoder = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(PIECES)}, unk_token=" "))
    encoder.pre_tokenizer = pre_tokenizers.Split('"', "isolated")
    encoder.decoder = decoders.Fuse()
    return TokenTexts(encoder, [piece.encode() for piece in PIECES])


def place(said, top):
    entries = [{"token": text, "bytes": list(text.encode()), "logprob": value} for text, value in top.items()]
    return {"token": said, "bytes": list(said.encode()), "logprob": top[said], "top_logprobs": entries}


def answer(*places, content=None):
    text = "".join(each["token"] for each in places) if content is None else content
    logprobs = {"content": list(places)} if places else None
    choice = {"message": {"role": "assistant", "content": text}, "logprobs": logprobs}
    return json.dumps({"choices": [choice]}).encode()


MARK = place('"', {'"': -0.01, "foo": -5.0})
TOKEN = place("bar", {"bar": -0.2, "foo": -2.0})


def read(texts, *answers):
    """What is read of the last answer; the first is that of the trial."""
    behaviour = Behaviour(None, "chat", instead=dict(enumerate(answers)))
    with serving(behaviour) as url:
        model = ServedChat(Connection(url, patience=PATIENCE, in_flight=1), texts, trial=QUESTION)
        (found,) = model.answers([QUESTION])
    return model, found


@pytest.mark.parametrize("before", [(), (place("\n", {"\n": -0.1, "foo": -3.0}),)])
def test_the_token_is_read_right_behind_the_opening(texts, before):
    model, found = read(texts, answer(MARK, TOKEN), answer(*before, MARK, TOKEN))
    assert model.gives_probabilities
    assert (found.log_p, found.is_bound, found.said) == (-2.0, False, 1)


def test_a_list_that_leaves_out_what_was_said_is_not_read(texts):
    # What was said behind the mark is part of a character, of which no entry was written.
    _, found = read(texts, answer(MARK, TOKEN), answer(MARK, TOKEN, content='"�bar'))
    assert math.isnan(found.log_p)


@pytest.mark.parametrize(
    "places",
    [
        (TOKEN, MARK),  # something else comes first
        (place('"foo', {'"foo': -0.1, "foo": -3.0}), TOKEN),  # the mark is part of a longer token
        (MARK,),  # the answer ends there
    ],
)
def test_an_answer_that_begins_otherwise_tells_nothing(texts, places):
    _, found = read(texts, answer(MARK, TOKEN), answer(*places))
    assert math.isnan(found.log_p)
    assert not found.is_bound


def test_what_is_not_listed_is_bounded(texts):
    _, found = read(texts, answer(MARK, TOKEN), answer(MARK, place("bar", {"bar": -0.1, " ": -2.5})))
    left_over = math.log(1 - math.exp(-0.1) - math.exp(-2.5))
    assert (found.log_p, found.is_bound) == (pytest.approx(left_over), True)


def test_a_mark_of_several_tokens_is_found(texts):
    halves = [{**MARK, "token": "�", "bytes": [byte]} for byte in "«".encode()]
    question = ChatQuestion(QUESTION.messages, "«", 0)
    said = answer(*halves, TOKEN, content="«bar")
    behaviour = Behaviour(None, "chat", instead={0: said, 1: said})
    with serving(behaviour) as url:
        model = ServedChat(Connection(url, patience=PATIENCE, in_flight=1), texts, trial=question)
        assert model.answers([question])[0].log_p == -2.0


@pytest.mark.parametrize(
    ("trial", "questions"),
    [
        # Fields that the server does not know: passed over, refused, and refused by its failure (sent twice).
        ([answer(content='"foo"')] * 3, 3),
        ([400, 400, answer(content="")], 3),
        ([400, 500, 500, answer(content="")], 3),
        # A server that knows no `max_tokens`.
        ([400, 400, 400, answer(content="")], 4),
    ],
)
def test_without_probabilities_only_what_is_said_is_known(texts, trial, questions):
    model, found = read(texts, *trial, answer(content=' "foo" again'))
    assert not model.gives_probabilities
    assert model.connection.requests == questions + 1
    assert (found.log_p, found.is_bound) == (0.0, False)
    _, found = read(texts, *trial, answer(content='"bar"'))
    assert math.isnan(found.log_p)


@pytest.mark.parametrize(
    "trouble",
    [
        b"{}",
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [7]}}]}',
        b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"token": "x", "logprob": 3,'
        b' "top_logprobs": [{}]}]}}]}',
        b"<html>",
        404,
        422,
    ],
    ids=str,
)
def test_a_lasting_trouble_is_one_clear_line(texts, trouble):
    behaviour = Behaviour(None, "chat", instead={-1: trouble})
    with serving(behaviour) as url, pytest.raises(NoUseError) as caught:
        ServedChat(Connection(url, patience=PATIENCE), texts, trial=QUESTION)
    assert "\n" not in str(caught.value)
    # The same later on, when the way of asking is known.
    behaviour = Behaviour(None, "chat", instead={0: answer(MARK, TOKEN), 1: trouble})
    with serving(behaviour) as url:
        model = ServedChat(Connection(url, patience=PATIENCE), texts, trial=QUESTION)
        with pytest.raises(BadInputError):
            model.answers([QUESTION])
