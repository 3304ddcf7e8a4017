"""Servers that take text: what they list is read, and what they do not is bounded."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources import open_tokenizer
from forensics.sources.runtimes.served_text import ServedText
from forensics.sources.runtimes.server_connection import Connection, NoUseError, Patience
from forensics.sources.runtimes.server_listings import Listed, Place, read_place
from forensics.sources.runtimes.token_texts import TokenTexts
from forensics.vocabulary.build import build_vocabulary
from tests.extras import need
from tests.fake_server import Behaviour, serving
from tests.planted_model import train_tokenizer

need("urllib3")

SIZE = 500
PATIENCE = Patience(answer_seconds=0.5, retries=1, first_wait=0.01)


@pytest.fixture(scope="module")
def tokenizer():
    licence = (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")
    tokenizer = train_tokenizer([licence], SIZE)
    tokenizer.add_special_tokens(["<|im_end|>"])
    return tokenizer


@pytest.fixture(scope="module")
def vocabulary(tokenizer, tmp_path_factory):
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(file))
    return build_vocabulary(open_tokenizer(file), SIZE + 1, Progress())


@pytest.fixture
def texts(tokenizer, vocabulary):
    special = np.flatnonzero(vocabulary.is_special).tolist()
    return TokenTexts(tokenizer, vocabulary.bytes, pieces=vocabulary.pieces, start=(0,), special=special)


def random_model(ids):
    logits = np.random.default_rng(list(ids)).normal(0, 3, SIZE + 1)
    return logits - np.logaddexp.reduce(logits)


def asked(url, texts, prompt):
    return ServedText(Connection(url, patience=PATIENCE), texts, name="tiny", open_prompt=prompt)


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("listed", [5, 20])
def test_what_is_listed_is_the_models_and_what_is_not_lies_below_its_bound(tokenizer, texts, listed, newer):
    prompt = tokenizer.encode("the software is provided").ids
    behaviour = Behaviour(random_model, "text", tokenizer=tokenizer, listed=listed, newer=newer)
    tokens = [t for t in range(SIZE) if texts.carries(prompt, t)]
    with serving(behaviour) as url:
        model = asked(url, texts, prompt)
        # The server puts the beginning of every text there itself.
        found = model.next_tokens([[0, *prompt]] * len(tokens), tokens)
    truth = random_model(prompt)
    assert model.count == listed
    assert model.lengths == ((len(prompt), len(prompt)) if newer else None)
    told = ~found.is_bound
    highest = set(np.argsort(-truth)[:listed].tolist())
    # Parts of characters are listed too, and are nobody that text can name.
    assert {t for t, is_told in zip(tokens, told, strict=True) if is_told} == highest & set(tokens)
    assert found.log_p[told] == pytest.approx(truth[tokens][told], rel=1e-5)
    assert (found.log_p[~told] >= truth[tokens][~told] - 1e-6).all()
    # In the older shape several that look alike are one entry, and the list is shorter.
    assert not newer or (found.log_p[~told] <= math.log(1 / (listed + 1)) + 1e-6).all()


def test_what_text_cannot_carry_is_known(tokenizer, texts, vocabulary):
    prompt = tokenizer.encode("the software is").ids
    assert texts.text(prompt) == "the software is"
    assert texts.text([0, *prompt]) == "the software is"
    # Encoding joins what stands apart.
    assert texts.text([*tokenizer.encode("t").ids, *tokenizer.encode("he").ids]) is None
    partial = next(t for t in range(SIZE) if vocabulary.bytes[t] == b"\xc3")
    assert not texts.carries(prompt, partial)
    assert texts.text([*prompt, partial]) is None
    assert not texts.carries(prompt, SIZE)  # <|im_end|>
    assert not texts.carries(prompt, SIZE + 7)


def test_an_entry_is_a_token_by_id_bytes_text_or_piece(texts, vocabulary, tokenizer):
    (token,) = tokenizer.encode(" the").ids
    piece = vocabulary.pieces[token]
    assert piece != " the"
    for listed in (
        Listed("?", -1.0, token_id=token),
        Listed("?", -1.0, data=b" the"),
        Listed(" the", -1.0),
        Listed(piece, -1.0),
    ):
        assert texts.names(listed, token)
    assert not texts.names(Listed(" the", -1.0, data=b" them"), token)
    assert texts.id_of(Listed(" the", -1.0)) == token
    partial = next(t for t in range(SIZE) if vocabulary.bytes[t] == b"\xc3")
    assert texts.id_of(Listed("�", -1.0)) == -1
    assert not texts.names(Listed("�", -1.0), partial)
    assert texts.id_of(Listed("no such token", -1.0)) == -1


def test_a_list_that_gives_all_to_one_token_bounds_nothing():
    sham = Place(Listed("a", 0.0), (Listed("a", 0.0), Listed("b", -9999.0)))
    assert read_place(sham, lambda listed: listed.text == "a").log_p == 0.0
    for text in ("b", "c"):
        assert read_place(sham, lambda listed, text=text: listed.text == text).is_bound
        assert read_place(sham, lambda listed, text=text: listed.text == text).log_p == 0.0


@pytest.mark.parametrize(
    "trouble",
    [
        b"{}",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"logprobs": null}]}',
        b'{"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [["a"]]}}]}',
        b'{"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": [5], "top_logprobs": [{"a": 5}]}}]}',
        b'{"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [{}]}}]}',
        b'{"choices": [{"logprobs": {"content": [{"token": "a", "logprob": "x", "top_logprobs": []}]}}]}',
        b'{"choices": [{"logprobs": {"content": [{"token": "a", "bytes": [999], "logprob": -1,'
        b' "top_logprobs": []}]}}]}',
        b"no JSON",
        400,
        404,
    ],
    ids=str,
)
def test_what_gives_no_list_is_not_asked_this_way(tokenizer, texts, trouble):
    prompt = tokenizer.encode("the software").ids
    behaviour = Behaviour(random_model, "text", tokenizer=tokenizer, instead={-1: trouble})
    with serving(behaviour) as url, pytest.raises(NoUseError) as caught:
        asked(url, texts, prompt)
    assert "\n" not in str(caught.value)


def test_where_nothing_is_listed_nothing_is_known(tokenizer, texts):
    prompt = tokenizer.encode("the software").ids
    empty = b'{"choices": [{"text": "", "logprobs": null, "finish_reason": "stop"}]}'
    behaviour = Behaviour(random_model, "text", tokenizer=tokenizer, instead={1: empty})
    with serving(behaviour) as url:
        found = asked(url, texts, prompt).next_tokens([prompt], tokenizer.encode(" the").ids)
    assert (found.log_p[0], found.said[0], found.is_bound[0]) == (0.0, -1, True)


def test_probabilities_after_the_temperature_are_found_out(tokenizer, texts):
    prompt = tokenizer.encode("the software").ids
    behaviour = Behaviour(random_model, "text", tokenizer=tokenizer, after_temperature=True)
    with serving(behaviour) as url, pytest.raises(NoUseError, match="all of the probability"):
        asked(url, texts, prompt)


def test_a_server_that_wants_a_key_or_is_busy_is_not_tried_otherwise(tokenizer, texts):
    prompt = tokenizer.encode("the software").ids
    for status in (401, 429):
        behaviour = Behaviour(random_model, "text", tokenizer=tokenizer, instead={-1: status})
        with serving(behaviour) as url, pytest.raises(BadInputError) as caught:
            asked(url, texts, prompt)
        assert not isinstance(caught.value, NoUseError)
